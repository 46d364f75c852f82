// What an error looks like wherever it is stored or answered.

/** One fault of the input: a JSON pointer into what was sent, and what is wrong there. */
export interface FieldFault {
  pointer: string;
  detail: string;
}

/** Why a job or run ended as it did; kept in rows and shown in answers. */
export interface StoredError {
  code: string;
  title: string;
  status: number | null;
  detail: string | null;
}

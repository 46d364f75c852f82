// What an error looks like wherever it is stored or answered.

/** One fault of the input: a JSON pointer into what was sent, and what is wrong there. */
export interface FieldFault {
  pointer: string;
  detail: string;
}

/** Every code a job, a step or a run may end with, and so every reason of a dead letter. */
export const FAILURE_CODES = [
  ...['attemptsExhausted', 'nonRetryable', 'deadlineExceeded', 'outcomeUnknown', 'targetNotAllowed'],
  ...['terminatedExternally', 'canceled', 'dependencyFailed', 'httpStatus', 'network', 'timeout', 'workerLost'],
  ...['secretNotFound', 'secretUnreadable', 'stepFailed', 'childFailed', 'itemFailed', 'compensationFailed'],
  ...['expressionFailed', 'inputInvalid', 'outputTooLarge', 'signalTimeout', 'tooDeep', 'tooManyItems'],
  ...['workflowNotFound', 'invalidJson', 'validationFailed', 'internal'],
];

/** Why a job or run ended as it did; kept in rows and shown in answers. */
export interface StoredError {
  code: string;
  title: string;
  status: number | null;
  detail: string | null;
}

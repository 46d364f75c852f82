// A name server of our own: what it answers to a name is told by the name's first part.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface NameServer {
  questions(): number;
  stop(): Promise<void>;
}

/** Asked for the address of `<behaviour>-<anything>.<domain>`. */
export type NameBehaviour = 'right' | 'unknown' | 'failing' | 'flapping' | 'slow';

export interface NameServerOptions {
  /** On which port 53 is free: nothing else can be told to the resolver of the system. */
  address: string;
  slowMs: number;
  /** So many questions about a name fail before one is answered. */
  flaps: number;
}

const PORT = 53;
const HEADER = 12;
const [NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME] = [0, 2, 3];
const TYPE_A = 1;

export async function startNameServer({ address, slowMs, flaps }: NameServerOptions): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked = new Map<string, number>();
  let questions = 0;
  socket.on('message', (question, from) => {
    questions += 1;
    const { name, type, end } = readQuestion(question);
    // Each name is asked about twice, for both kinds of addresses.
    const times = (asked.get(`${name}/${type}`) ?? 0) + 1;
    asked.set(`${name}/${type}`, times);
    const behaviour = name.split(/[-.]/)[0] as NameBehaviour;
    const answer = answerTo(question, end, type, codeOf(behaviour, times <= flaps));
    setTimeout(() => socket.send(answer, from.port, from.address), behaviour === 'slow' ? slowMs : 0);
  });
  socket.bind(PORT, address);
  await once(socket, 'listening');
  return {
    questions: () => questions,
    async stop() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function codeOf(behaviour: NameBehaviour, isDown: boolean): number {
  if (behaviour === 'unknown') return NO_SUCH_NAME;
  if (behaviour === 'failing') return SERVER_FAILURE;
  return behaviour === 'flapping' && isDown ? SERVER_FAILURE : NO_ERROR;
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** The question again, and for an IPv4 address this machine itself. */
function answerTo(question: Buffer, end: number, type: number, code: number): Buffer {
  const hasAddress = code === NO_ERROR && type === TYPE_A;
  const header = Buffer.from(question.subarray(0, HEADER));
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(hasAddress ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  // A pointer to the name, type A, class IN, to be kept for no time, four bytes.
  const address = Buffer.from([0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([header, question.subarray(HEADER, end), ...(hasAddress ? [address] : [])]);
}

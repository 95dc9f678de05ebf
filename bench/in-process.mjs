// The application of one variant in this very process, asked over streams instead of sockets: without a network, and one
// request at a time, the same things happen in each run.
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { answerIn, LONGEST_WAIT } from './connection.mjs';
import { firstCookie } from './contestant.mjs';
import { KINDS } from './kinds.mjs';
import { createRoutes } from './routes.mjs';
import { CONTENDERS, remembers } from './variants.mjs';
import { createVisitor, setCookiesIn } from './visitors.mjs';

const SHAPE = 'objects';
const COUNT_NOTHING = () => () => {};

/** @param keep is handed every store that is made */
export async function openApplication(framework, variant, keep) {
  const contender = await CONTENDERS[framework][variant].make({ keep });
  const { listenerOf } = await import(`./applications/${framework}.mjs`);
  const server = createServer(await listenerOf(contender, createRoutes(contender, SHAPE)));
  const connection = new Connection();
  server.emit('connection', connection);

  /** So many visitors, each with a session of its own where the kind has one. */
  async function visitorsOf(kind, count) {
    const { fill } = KINDS[kind];
    const fillRequest = { request: Buffer.from(`GET ${fill} HTTP/1.1\r\nHost: localhost\r\n\r\n`) };
    const { answers } = await askEach(fill ? Array.from({ length: count }, () => fillRequest) : []);
    return Array.from({ length: count }, (_, number) => {
      const cookie = fill ? firstCookie(variant, fill, setCookiesIn(answers[number].head)) : '';
      return createVisitor(kind, { cookie, number, remembers: remembers(variant), shape: SHAPE });
    });
  }

  /**
   * Asks for each of the visitors once. Answers are checked after the last of them, where it is not counted any more.
   *
   * @param startCount begins to count, and gives the function that ends it
   * @returns what that one gave
   */
  async function play(visitors, startCount) {
    const { answers, counted } = await askEach(visitors, startCount);
    for (const [index, { body, head }] of answers.entries()) visitors[index].answered(body, head);
    return counted;
  }

  /** Makes no promise of its own between the start of the count and its end. */
  function askEach(visitors, startCount = COUNT_NOTHING) {
    const answers = new Array(visitors.length);
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => reject(new Error(`no answer within ${LONGEST_WAIT} ms`)), LONGEST_WAIT);
      let index = 0;
      const ask = () => {
        if (index < visitors.length) return connection.ask(visitors[index].request, take);
        const counted = endCount();
        clearTimeout(patience);
        resolve({ answers, counted });
      };
      const take = answer => {
        if (answer instanceof Error) return reject(answer);
        answers[index] = answer;
        index += 1;
        // What the request does after its answer comes before that.
        setImmediate(ask);
      };
      let endCount;
      // Not at once: whoever waits for this makes promises for it.
      setImmediate(() => {
        endCount = startCount();
        ask();
      });
    });
  }

  return { visitorsOf, play };
}

/** The server's end of a connection, as far as node:http asks for one. */
class Connection extends Duplex {
  remoteAddress = '127.0.0.1';
  #received = '';
  #take = null;

  constructor() {
    super({ decodeStrings: false });
  }

  /** @param take gets the answer, or an error */
  ask(request, take) {
    this.#received = '';
    this.#take = take;
    this.push(request);
  }

  _read() {}

  _write(chunk, _encoding, done) {
    this.#received += typeof chunk === 'string' ? chunk : chunk.latin1Slice();
    done();
    let answer;
    try {
      answer = answerIn(this.#received);
    } catch (error) {
      answer = error;
    }
    if (answer === null || this.#take === null) return;
    // Once: node:http may write nothing more, and does so in another call.
    const take = this.#take;
    this.#take = null;
    take(answer);
  }

  setTimeout() {
    return this;
  }

  setNoDelay() {
    return this;
  }

  setKeepAlive() {
    return this;
  }
}

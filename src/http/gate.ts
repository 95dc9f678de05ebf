/**
 * Holds a Node response until its session is saved. The first `writeHead`, `write`, `end` or `flushHeaders` starts the
 * save; with a synchronous store it is done before that call goes on, otherwise what the handler writes meanwhile is kept
 * in order, within bounds, and `write()` answers `false`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MadeleineError } from '../errors.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { bareError, clearForError, presentHead, releaseHead, setHeadersGiven } from './head.ts';
import { streamOf } from './http2.ts';
import { type Below, bypass, intercept } from './intercept.ts';

/** Who has something to save before the response leaves, and something to say in its head: a session. */
export interface GateParticipant {
  /** Saves, before the first byte. */
  save(): MaybePromise<void>;
  /** Adds header fields; called once, right before the head is written. */
  head(): void;
  /** Saves what changed since, before the last byte of a response whose head left earlier. */
  saveAtEnd(): MaybePromise<void>;
  /**
   * The save failed and nothing was sent. `complete`: the handler had ended its response, so the application may answer
   * with an error of its own; otherwise the gate has answered with a bare error, as the handler is still writing.
   */
  failed(error: unknown, complete: boolean): void;
  /** The response is over: the handler has ended it and everything is saved, or the save failed. */
  ended(): void;
  /** The save at the end failed: the connection was cut, so that the client does not take the response for a success. */
  failedAtEnd(error: unknown): void;
}

/** The most bytes that `write()` may leave here while the session is being saved; a handler that goes on gets an error. */
export const MOST_HELD_BYTES: number = 16 * 1024 * 1024;

/** `waiting` for the first byte; `holding` while saving; `open`: everything passes; `discarding` what a failed handler writes. */
type GateState = 'waiting' | 'holding' | 'open' | 'discarding';
/**
 * Where a request keeps the gate before its response: on its list of header fields, an array of its own. On the request itself it
 * would cost 3 µs in Express, which has given the request another prototype, and in a WeakMap 6 µs of collecting garbage. A
 * request that was made by hand may have no such list.
 */
const GATE: unique symbol = Symbol('madeleine.gate');
type Holder = { [GATE]?: Gate };

function holderOf(request: IncomingMessage): Holder {
  return (request.rawHeaders as Holder | undefined) ?? (request as Holder);
}

/** The gate before the response to this request, if any. (A response that HTTP/2 pushes has no request.) */
export function gateOf(request: IncomingMessage | undefined): Gate | undefined {
  return request && holderOf(request)[GATE];
}

/** Holds the response until this participant is saved, beside others that may be there already. */
export function enterGate(request: IncomingMessage, response: ServerResponse, participant: GateParticipant): void {
  const holder = holderOf(request);
  if (holder[GATE]) holder[GATE].participants.push(participant);
  else holder[GATE] = new Gate(response, participant, intercept(response, gateOf));
}

class Gate {
  readonly participants: GateParticipant[];
  readonly #response: ServerResponse;
  readonly #below: Below;
  #state: GateState = 'waiting';
  /** What the handler did while the save was under way, in order. */
  #held: Array<() => void> | null = null;
  #heldBytes = 0;
  #ended = false;
  #needsDrain = false;

  constructor(response: ServerResponse, participant: GateParticipant, methods: Below) {
    this.participants = [participant];
    this.#response = response;
    this.#below = methods;
  }

  writeHead(status: unknown, second: unknown, third: unknown): ServerResponse {
    const response = this.#response;
    if (this.#state === 'open') return this.#below.writeHead.call(response, status, second, third) as ServerResponse;
    if (this.#state !== 'waiting') return response;
    const { statusCode, message } = setHeadersGiven(response, status as number, second, third);
    response.statusCode = statusCode;
    if (message !== undefined) response.statusMessage = message;
    this.#whenOpen(() => {
      if (!response.headersSent) this.#below.writeHead.call(response, statusCode);
    });
    return response;
  }

  flushHeaders(): void {
    this.#whenOpen(() => this.#below.flushHeaders.call(this.#response));
  }

  write(chunk: unknown, encoding: unknown, callback: unknown): boolean {
    if (this.#isOpen()) return this.#below.write.call(this.#response, chunk, encoding, callback) as boolean;
    if (this.#state === 'discarding' || this.#ended) {
      discard(encoding, callback);
      return true;
    }
    this.#heldBytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : ((chunk as Uint8Array)?.byteLength ?? 0);
    if (this.#heldBytes > MOST_HELD_BYTES) {
      this.#fail(heldTooLarge());
      return true;
    }
    this.#hold(() => this.#below.write.call(this.#response, chunk, encoding, callback));
    this.#needsDrain = true;
    return false;
  }

  end(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    const response = this.#response;
    if (this.#state === 'discarding' || (this.#state === 'holding' && this.#ended)) {
      discard(chunk, encoding, callback);
    } else if (this.#state === 'waiting') {
      // Saved now, with nothing in between: there is no need to look again for changes before the last byte.
      this.#ended = true;
      if (this.#isOpen()) this.#passEnd(chunk, encoding, callback);
      else this.#hold(() => this.#passEnd(chunk, encoding, callback));
    } else if (this.#ended || response.writableEnded) {
      this.#below.end.call(response, chunk, encoding, callback);
    } else {
      this.#ended = true;
      this.#whenOpen(() => this.#endAfterSave(chunk, encoding, callback));
    }
    return response;
  }

  /** Whether everything may pass. The first to ask starts the save; with a synchronous store that is all it takes. */
  #isOpen(): boolean {
    return this.#state === 'waiting' ? this.#start() : this.#state === 'open';
  }

  /** Goes on once the session is saved: at once where it is, else in its turn; never if the save failed. */
  #whenOpen(call: () => void): void {
    if (this.#isOpen()) call();
    else this.#hold(call);
  }

  #hold(call: () => void): void {
    if (this.#state !== 'holding') return;
    this.#held ??= [];
    this.#held.push(call);
  }

  /** Says whether the session is saved already. */
  #start(): boolean {
    this.#state = 'holding';
    let saved: MaybePromise<void>;
    try {
      saved = all(this.participants, save);
      if (!(saved instanceof Promise)) {
        for (const one of this.participants) one.head();
        this.#state = 'open';
        return true;
      }
    } catch (error) {
      // Told a moment later: by then a handler that says writeHead() and end() has ended, and the application can answer.
      saved = Promise.reject(error);
    }
    presentHead(this.#response, () => this.#ended);
    saved.then(
      () => this.#open(),
      error => this.#fail(error),
    );
    return false;
  }

  #open(): void {
    const response = this.#response;
    if (this.#state !== 'holding') return;
    releaseHead(response);
    for (const one of this.participants) one.head();
    this.#state = 'open';
    const held = this.#held ?? [];
    this.#held = null;
    for (const call of held) call();
    const { writableNeedDrain } = streamOf(response) ?? response;
    if (this.#needsDrain && !this.#ended && !writableNeedDrain) response.emit('drain');
  }

  #fail(error: unknown): void {
    const response = this.#response;
    const ended = this.#ended;
    if (this.#state !== 'holding') return;
    releaseHead(response);
    this.#held = null;
    clearForError(response);
    this.#state = ended ? 'open' : 'discarding';
    const resume = bypass(response);
    if (!ended) {
      response.end(bareError(response, error));
      resume();
    }
    for (const one of this.participants) one.ended();
    (this.participants[0] as GateParticipant).failed(error, ended);
  }

  /** The head left earlier: what the handler changed since is saved before the client can know that it has everything. */
  #endAfterSave(chunk: unknown, encoding: unknown, callback: unknown): void {
    const cut = (error: unknown) => {
      (this.participants[0] as GateParticipant).failedAtEnd(error);
      this.#response.destroy();
    };
    try {
      const saved = all(this.participants, saveAtEnd);
      if (saved instanceof Promise) saved.then(() => this.#passEnd(chunk, encoding, callback), cut);
      else this.#passEnd(chunk, encoding, callback);
    } catch (error) {
      cut(error);
    }
  }

  #passEnd(chunk: unknown, encoding: unknown, callback: unknown): void {
    for (const one of this.participants) one.ended();
    this.#below.end.call(this.#response, chunk, encoding, callback);
  }
}

const save = (participant: GateParticipant): MaybePromise<void> => participant.save();
const saveAtEnd = (participant: GateParticipant): MaybePromise<void> => participant.saveAtEnd();

/** Nearly always there is one participant, and no promise to make. */
function all(
  participants: readonly GateParticipant[],
  step: (participant: GateParticipant) => MaybePromise<void>,
): MaybePromise<void> {
  if (participants.length === 1) return step(participants[0] as GateParticipant);
  const pending = participants.map(step).filter(saved => saved instanceof Promise);
  if (pending.length > 0) return Promise.all(pending).then(() => undefined);
}

/** A discarded chunk is done with: whoever waits for its callback goes on. */
function discard(...args: unknown[]): void {
  const callback = args.find(arg => typeof arg === 'function') as (() => void) | undefined;
  if (callback) process.nextTick(callback);
}

function heldTooLarge(): MadeleineError {
  return new MadeleineError(
    'ERR_HELD_TOO_LARGE',
    `A handler wrote more than ${MOST_HELD_BYTES} bytes while its session was being saved.`,
    "Stop when write() answers false and go on at 'drain', as stream.pipe does.",
  );
}

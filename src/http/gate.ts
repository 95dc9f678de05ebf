/**
 * Holds a Node response until its session is saved. The first `writeHead`, `write`, `end` or `flushHeaders` starts the
 * save; with a synchronous store it is done before that call goes on, otherwise what the handler writes meanwhile is kept
 * in order, within bounds, and `write()` answers `false`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MadeleineError } from '../errors.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { clearForError, presentHead, releaseHead, setHeadersGiven } from './head.ts';
import { type Arguments, type Below, intercept } from './intercept.ts';

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
  /** The handler has ended the response, and everything is saved. */
  ended(): void;
  /** The save at the end failed: the connection was cut, so that the client does not take the response for a success. */
  failedAtEnd(error: unknown): void;
}

/** The most bytes that `write()` may leave here while the session is being saved; a handler that goes on gets an error. */
export const MOST_HELD_BYTES: number = 16 * 1024 * 1024;

/** `waiting` for the first byte; `holding` while saving; `open`: everything passes; `discarding` what a failed handler writes. */
type GateState = 'waiting' | 'holding' | 'open' | 'discarding';
/** Where a request keeps the gate before its response. (A WeakMap costs the garbage collector 6 µs a request.) */
const GATE = Symbol('madeleine.gate');
type Gated = IncomingMessage & { [GATE]?: Gate };

/** The gate before the response to this request, if any. */
export function gateOf(request: IncomingMessage): Gate | undefined {
  return (request as Gated)[GATE];
}

/** Holds the response until this participant is saved, beside others that may be there already. */
export function enterGate(response: ServerResponse, participant: GateParticipant): void {
  const request: Gated = response.req;
  if (request[GATE]) request[GATE].participants.push(participant);
  else request[GATE] = new Gate(response, participant, intercept(response, gateOf));
}

class Gate {
  readonly participants: GateParticipant[];
  readonly #response: ServerResponse;
  readonly #below: Below;
  #state: GateState = 'waiting';
  #held: Array<() => void> = [];
  #heldBytes = 0;
  #ended = false;
  #needsDrain = false;

  constructor(response: ServerResponse, participant: GateParticipant, methods: Below) {
    this.participants = [participant];
    this.#response = response;
    this.#below = methods;
  }

  writeHead(args: Arguments): ServerResponse {
    const response = this.#response;
    if (this.#state === 'open') return this.#pass('writeHead', args) as ServerResponse;
    if (this.#state !== 'waiting') return response;
    const { statusCode, message } = setHeadersGiven(response, args);
    response.statusCode = statusCode;
    if (message !== undefined) response.statusMessage = message;
    this.#whenOpen(() => {
      if (!response.headersSent) this.#pass('writeHead', [statusCode]);
    });
    return response;
  }

  flushHeaders(): void {
    this.#whenOpen(() => this.#pass('flushHeaders', []));
  }

  write(args: Arguments): boolean {
    if (this.#state === 'waiting') this.#start();
    if (this.#is('open')) return this.#pass('write', args) as boolean;
    if (this.#is('discarding') || this.#ended) {
      discard(args);
      return true;
    }
    const chunk = args[0] as string | Uint8Array;
    this.#heldBytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : (chunk?.byteLength ?? 0);
    if (this.#heldBytes > MOST_HELD_BYTES) {
      this.#fail(heldTooLarge());
      return true;
    }
    this.#held.push(() => this.#pass('write', args));
    this.#needsDrain = true;
    return false;
  }

  end(args: Arguments): ServerResponse {
    const response = this.#response;
    if (this.#state === 'discarding' || (this.#state === 'holding' && this.#ended)) {
      discard(args);
    } else if (this.#state === 'waiting') {
      // Saved now, with nothing in between: there is no need to look again for changes before the last byte.
      this.#ended = true;
      this.#whenOpen(() => this.#passEnd(args));
    } else if (this.#ended || response.writableEnded) {
      this.#pass('end', args);
    } else {
      this.#ended = true;
      this.#whenOpen(() => this.#endAfterSave(args));
    }
    return response;
  }

  /** Goes on once the session is saved: at once where it is, else in its turn; never if the save failed. */
  #whenOpen(call: () => void): void {
    if (this.#state === 'waiting') this.#start(call);
    else if (this.#state === 'open') call();
    else if (this.#state === 'holding') this.#held.push(call);
  }

  /** Starts the save; `first` is what goes on when it is done. */
  #start(first?: () => void): void {
    this.#state = 'holding';
    try {
      const saved = this.#each(one => one.save());
      if (saved instanceof Promise) {
        if (first) this.#held.push(first);
        presentHead(this.#response, () => this.#ended);
        saved.then(
          () => this.#open(),
          error => this.#fail(error),
        );
        return;
      }
      for (const one of this.participants) one.head();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#state = 'open';
    first?.();
  }

  #open(): void {
    const response = this.#response;
    const held = this.#held;
    if (this.#state !== 'holding') return;
    releaseHead(response);
    for (const one of this.participants) one.head();
    this.#state = 'open';
    this.#held = [];
    for (const call of held) call();
    if (this.#needsDrain && !this.#ended && !response.writableNeedDrain) response.emit('drain');
  }

  #fail(error: unknown): void {
    const response = this.#response;
    const ended = this.#ended;
    if (this.#state !== 'holding') return;
    releaseHead(response);
    this.#held = [];
    clearForError(response);
    this.#state = 'open';
    if (!ended) {
      response.statusCode = error instanceof MadeleineError ? error.status : 500;
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      this.#pass('end', [response.statusCode === 503 ? 'Service Unavailable\n' : 'Internal Server Error\n']);
      this.#state = 'discarding';
    }
    (this.participants[0] as GateParticipant).failed(error, ended);
  }

  /** The head left earlier: what the handler changed since is saved before the client can know that it has everything. */
  #endAfterSave(args: Arguments): void {
    const cut = (error: unknown) => {
      (this.participants[0] as GateParticipant).failedAtEnd(error);
      this.#response.destroy();
    };
    try {
      const saved = this.#each(one => one.saveAtEnd());
      if (saved instanceof Promise) saved.then(() => this.#passEnd(args), cut);
      else this.#passEnd(args);
    } catch (error) {
      cut(error);
    }
  }

  /** Nearly always there is one participant, and no promise to make. */
  #each(save: (participant: GateParticipant) => MaybePromise<void>): MaybePromise<void> {
    if (this.participants.length === 1) return save(this.participants[0] as GateParticipant);
    const pending = this.participants.map(save).filter(saved => saved instanceof Promise);
    if (pending.length > 0) return Promise.all(pending).then(() => undefined);
  }

  #pass(method: keyof Below, args: Arguments): unknown {
    return this.#below[method].apply(this.#response, args);
  }

  #passEnd(args: Arguments): void {
    for (const one of this.participants) one.ended();
    this.#pass('end', args);
  }

  /** The state after a call that may have moved it, which the type checker does not see. */
  #is(state: GateState): boolean {
    return this.#state === state;
  }
}

/** A discarded chunk is done with: whoever waits for its callback goes on. */
function discard(args: Arguments): void {
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

/**
 * Holds a Node response until its session is saved. The first `writeHead`, `write`, `end` or `flushHeaders` starts the
 * save; with a synchronous store it is done before that call goes on, otherwise what the handler writes meanwhile is kept
 * in order, within bounds, and `write()` answers `false`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MaybePromise } from '../maybe-promise.ts';
import { bareError, clearForError } from './bare-error.ts';
import { createGateFinder, type GateFinder } from './gate-finder.ts';
import { type GivenFields, takeHead, writeTaken } from './head.ts';
import { heldTooLarge, holdHead, presentHeld, refuseAnotherHead } from './held-head.ts';
import { breakOff, writableOf } from './http2.ts';
import { type Below, bypass, intercept } from './intercept.ts';
import { type GateParticipant, saveAll } from './participants.ts';

/** The most bytes that `write()` may leave here while the session is being saved; a handler that goes on gets an error. */
const MOST_HELD_BYTES = 16 * 1024 * 1024;

/** `waiting` for the first byte; `holding` while saving; `open`: everything passes; `ending`: its end waits for a save; `discarding` what a failed handler writes. */
type GateState = 'waiting' | 'holding' | 'open' | 'ending' | 'discarding';

/** Finds the gate before a response, if any. */
export const gates: GateFinder<Gate> = createGateFinder<Gate>();

/** Holds the response until this participant is saved, beside others that may be there already. */
export function enterGate(request: IncomingMessage, response: ServerResponse, participant: GateParticipant): void {
  const present = gates.of(request);
  if (present) return present.join(participant);
  intercept(response, gates.before);
  gates.put(request, new Gate(response, participant));
}

class Gate {
  readonly response: ServerResponse;
  readonly participants: GateParticipant[];
  /** The head waits for the save. */
  holdsHead = false;
  /** The handler has ended the response. */
  ended = false;
  #state: GateState = 'waiting';
  /** What the handler did while the save was under way, in order. */
  #held: Array<() => void> | null = null;
  #heldBytes = 0;
  #given: GivenFields | null = null;
  #letGo: (() => void) | null = null;
  #needsDrain = false;

  constructor(response: ServerResponse, participant: GateParticipant) {
    this.response = response;
    this.participants = [participant];
    if (response.headersSent === true) {
      this.#state = 'open';
      participant.headHasLeft();
    }
  }

  join(participant: GateParticipant): void {
    this.participants.push(participant);
    if (this.#state !== 'waiting') participant.headHasLeft();
  }

  get holdsEnd(): boolean {
    return this.ended && (this.holdsHead || this.#state === 'ending');
  }

  writeHead(below: Below, status: unknown, second: unknown, third: unknown): ServerResponse {
    const response = this.response;
    if (this.#state === 'open') return below.writeHead.call(response, status, second, third) as ServerResponse;
    if (this.#state === 'discarding') return response;
    if (this.#state !== 'waiting') return refuseAnotherHead(response, status, second ?? third);
    this.#given = takeHead(response, status as number, second, third);
    this.#whenOpen(() => {
      if (!response.headersSent) writeTaken(response, below.writeHead, status, this.#given);
    });
    return response;
  }

  flushHeaders(below: Below): void {
    this.#whenOpen(() => below.flushHeaders.call(this.response));
  }

  write(below: Below, chunk: unknown, encoding: unknown, callback: unknown): boolean {
    if (this.#isOpen()) return below.write.call(this.response, chunk, encoding, callback) as boolean;
    if (this.#state === 'discarding' || this.ended) {
      discard(encoding, callback);
      return true;
    }
    this.#heldBytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : ((chunk as Uint8Array)?.byteLength ?? 0);
    if (this.#heldBytes > MOST_HELD_BYTES) {
      this.#fail(heldTooLarge(MOST_HELD_BYTES));
      return true;
    }
    this.#hold(() => below.write.call(this.response, chunk, encoding, callback));
    this.#needsDrain = true;
    return false;
  }

  end(below: Below, chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    const response = this.response;
    if (this.#state === 'discarding' || (this.ended && this.#state !== 'open')) {
      discard(chunk, encoding, callback);
    } else if (this.#state === 'waiting') {
      // Saved now, with nothing in between: there is no need to look again for changes before the last byte.
      this.ended = true;
      if (this.#isOpen()) this.#passEnd(false, below, chunk, encoding, callback);
      else this.#hold(() => this.#passEnd(true, below, chunk, encoding, callback));
    } else if (this.ended || response.writableEnded) {
      below.end.call(response, chunk, encoding, callback);
    } else {
      this.ended = true;
      this.#whenOpen(() => this.#endAfterSave(below, chunk, encoding, callback));
    }
    return response;
  }

  /** Whether everything may pass. The first to ask starts the save, which a synchronous store has done at once. */
  #isOpen(): boolean {
    return this.#state === 'waiting' ? this.#start() : this.#state === 'open';
  }

  /** Makes the call once the session is saved: now if it is, else after the calls held before it; never if the save fails. */
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
      saved = saveAll(this.participants, 'save');
      if (!(saved instanceof Promise)) {
        for (const one of this.participants) one.head(this.#given);
        this.#state = 'open';
        return true;
      }
    } catch (error) {
      // Told a moment later: a handler that calls writeHead() and then end() has ended by then, and the application can answer.
      saved = Promise.reject(error);
    }
    this.#letGo = holdHead(this, gates.before);
    saved
      .then(
        () => this.#open(),
        error => this.#fail(error),
      )
      .catch(error => this.#cut(error));
    return false;
  }

  #open(): void {
    const response = this.response;
    if (this.#state !== 'holding') return;
    this.#letGo?.();
    try {
      for (const one of this.participants) one.head(this.#given);
      this.#release();
    } catch (error) {
      // Node refuses a call that was held. Made at once, it would have thrown in the handler.
      if (response.headersSent) this.#cut(error);
      else this.#answer(error);
      return;
    }
    const { writableNeedDrain } = writableOf(response);
    if (this.#needsDrain && !this.ended && !writableNeedDrain) response.emit('drain');
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#state = 'open';
    this.#held = null;
    for (const call of held) call();
  }

  #fail(error: unknown): void {
    if (this.#state !== 'holding') return;
    this.#letGo?.();
    if (!this.ended || this.response.statusCode < 500) return this.#answer(error);
    // The handler has answered with an error of the application's own, perhaps because of this very failure: it is sent.
    this.#refuse().report(error);
    this.#release();
  }

  /** Nothing has left yet: the error takes the place of what the handler wrote. */
  #answer(error: unknown): void {
    const response = this.response;
    const ended = this.ended;
    this.#held = null;
    this.#given?.putOn(response);
    clearForError(response);
    this.#state = ended ? 'open' : 'discarding';
    const resume = bypass(response);
    if (ended) return this.#refuse().failed(error);
    // The handler is still writing.
    response.end(bareError(response, error));
    resume();
    this.#refuse().report(error);
  }

  /** Something has left already: the client must not take the response for a whole one. */
  #cut(error: unknown): void {
    this.#state = 'discarding';
    this.#refuse().report(error);
    breakOff(this.response);
  }

  /** Tells all participants, and gives the one that is to report it. */
  #refuse(): GateParticipant {
    for (const one of this.participants) one.refused();
    return this.participants[0] as GateParticipant;
  }

  /** The head left earlier: what the handler changed since is saved before the client can know that it has everything. */
  #endAfterSave(below: Below, chunk: unknown, encoding: unknown, callback: unknown): void {
    const cut = (error: unknown) => this.#cut(error);
    const pass = (late: boolean) => {
      this.#state = 'open';
      this.#passEnd(late, below, chunk, encoding, callback);
    };
    try {
      const saved = saveAll(this.participants, 'saveAtEnd');
      if (!(saved instanceof Promise)) return pass(false);
      this.#state = 'ending';
      presentHeld(this.response, gates.before);
      saved.then(() => pass(true)).catch(cut);
    } catch (error) {
      cut(error);
    }
  }

  #passEnd(late: boolean, below: Below, chunk: unknown, encoding: unknown, callback: unknown): void {
    for (const one of this.participants) one.ended(late);
    below.end.call(this.response, chunk, encoding, callback);
  }
}

/** Calls the callback of a discarded chunk, so that whoever waits for it goes on. */
function discard(...args: unknown[]): void {
  const callback = args.find(arg => typeof arg === 'function') as (() => void) | undefined;
  if (callback) process.nextTick(callback);
}

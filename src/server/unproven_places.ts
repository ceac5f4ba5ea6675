import { Crowd } from "../platform/crowd.ts";

/** Connections that may be here at the same time and have proven nothing: a proof takes a client two round trips. */
const PLACES = 256;

interface Place {
  end(): void;
}

/**
 * Places for those who have logged in elsewhere, as to the system's sshd, and still have to prove here who they are. What one of them does must not
 * count against the others, which have the same address: nobody is refused, and nobody stays for long. Who came first gives way.
 */
export class UnprovenPlaces {
  readonly #crowd = new Crowd<Place>(0);

  /**
   * @param source where it comes from
   * @param within milliseconds for the proof
   * @param end ends the connection; called once at most, with whether others needed its place
   * @returns gives the place back: it has proven itself, or is gone
   */
  take(source: string, within: number, end: (crowded: boolean) => void): () => void {
    if (this.#crowd.size >= PLACES) this.#makeRoom();
    const place: Place = { end: () => (leave(), end(true)) };
    const timer = setTimeout(() => (leave(), end(false)), within);
    const leave = () => {
      clearTimeout(timer);
      this.#crowd.delete(source, place);
    };
    this.#crowd.add(source, place);
    return leave;
  }

  #makeRoom(): void {
    const [greediest] = this.#crowd.candidates();
    if (greediest !== undefined) this.#crowd.oldestOf(greediest)?.end();
  }
}

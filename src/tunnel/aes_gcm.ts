import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomFillSync } from "node:crypto";

/**
 * SSH packets under AES-GCM (RFC 5647, as OpenSSH's aes128-gcm@openssh.com and aes256-gcm@openssh.com use it), in place
 * of the library's own: for a packet of 1 KiB that spends 6 µs on sealing and 4.5 µs on opening, this 3 µs and 2.5 µs, and each request
 * of a caller is four packets. Both classes answer to the members that the library expects of its own.
 *
 *     uint32   packet length, in the clear, authenticated
 *     byte     padding length      ┐
 *     byte[n]  payload             │ encrypted; a multiple of 16 bytes
 *     byte[m]  random padding      ┘
 *     byte[16] tag
 */

/** What the library hands over when a key exchange is done; the names are its own. */
export interface LibraryCipher {
  outSeqno: number;
  readonly _onWrite: (piece: Buffer) => void;
  readonly _encSSLName: string;
  readonly _encKey: Buffer;
  readonly _encIV: Buffer;
}
export interface LibraryDecipher {
  inSeqno: number;
  _onPayload: (payload: Buffer) => number | false | undefined;
  readonly _decipherSSLName: string;
  readonly _decipherKey: Buffer;
  readonly _decipherIV: Buffer;
}

type GcmName = "aes-128-gcm" | "aes-256-gcm";

const BLOCK = 16;
const TAG = 16;
/** RFC 4253, section 6.1: what every implementation has to take; the library's own bound. */
const MAX_PACKET = 35_000;
/** SSH_MSG_CHANNEL_DATA (RFC 4254, section 5.2). */
const CHANNEL_DATA = 94;
/** Bytes of a data message before the data: type, channel, length. */
const DATA_HEADER = 9;

/** Random bytes for padding, fetched many at a time. */
const random = Buffer.alloc(8192);
let randomUsed = random.length;

function pad(packet: Buffer, at: number, length: number): void {
  if (randomUsed + length > random.length) {
    randomFillSync(random);
    randomUsed = 0;
  }
  random.copy(packet, at, randomUsed, randomUsed + length);
  randomUsed += length;
}

/**
 * Where data is laid out before it is sealed. Sealing copies, so that one is enough for all connections; a new buffer for each
 * packet would be a quarter of all garbage of a large transfer.
 */
const scratch = Buffer.alloc(MAX_PACKET);

/** Encrypts outgoing packets. */
export class Sealer {
  outSeqno: number;
  readonly #write: (piece: Buffer) => void;
  readonly #name: GcmName;
  readonly #key: KeyObject;
  readonly #iv: Buffer;
  #dead = false;

  constructor(library: LibraryCipher) {
    this.outSeqno = library.outSeqno;
    this.#write = library._onWrite;
    this.#name = library._encSSLName as GcmName;
    this.#key = createSecretKey(library._encKey);
    this.#iv = library._encIV;
  }

  free(): void {
    this.#dead = true;
  }

  /** A packet with room for a payload of `length` bytes from its sixth byte on. */
  allocPacket(length: number): Buffer {
    return this.#layOut(length);
  }

  #layOut(length: number, room?: Buffer): Buffer {
    // At least four bytes of padding, and with the padding length a whole number of blocks.
    let padding = BLOCK - ((1 + length) % BLOCK);
    if (padding < 4) padding += BLOCK;
    const size = 5 + length + padding;
    const packet = room !== undefined && size <= room.length ? room.subarray(0, size) : Buffer.allocUnsafe(size);
    packet.writeUInt32BE(packet.length - 4, 0);
    packet[4] = padding;
    pad(packet, 5 + length, padding);
    return packet;
  }

  encrypt(packet: Buffer): void {
    if (this.#dead) return;
    const cipher = createCipheriv(this.#name, this.#key, this.#iv);
    const length = packet.subarray(0, 4);
    cipher.setAAD(length);
    const sealed = cipher.update(packet.subarray(4));
    cipher.final();
    // A copy: the packet may lie in the scratch buffer.
    this.#write(Buffer.from(length));
    this.#write(sealed);
    this.#write(cipher.getAuthTag());
    increment(this.#iv);
    this.outSeqno = (this.outSeqno + 1) >>> 0;
  }

  /** Sends data on a channel. */
  sealData(recipient: number, data: Buffer): void {
    const packet = this.#layOut(DATA_HEADER + data.length, scratch);
    packet[5] = CHANNEL_DATA;
    packet.writeUInt32BE(recipient, 6);
    packet.writeUInt32BE(data.length, 10);
    packet.set(data, 5 + DATA_HEADER);
    this.encrypt(packet);
  }
}

/** Decrypts and checks incoming packets, however the bytes come in. */
export class Opener {
  inSeqno: number;
  /** The library sets another one while keys are exchanged. */
  _onPayload: LibraryDecipher["_onPayload"];
  readonly #usual: LibraryDecipher["_onPayload"];
  readonly #onData: (channel: number, data: Buffer) => boolean;
  readonly #name: GcmName;
  readonly #key: KeyObject;
  readonly #iv: Buffer;
  /** A packet that has not come whole: its bytes so far, in a buffer of its size once that is known. */
  #partial: Buffer | undefined;
  #have = 0;
  readonly #lengthBytes = Buffer.alloc(4);

  /** @param onData takes the data of a channel, or returns false to leave the packet to the library */
  constructor(library: LibraryDecipher, onData: (channel: number, data: Buffer) => boolean) {
    this.inSeqno = library.inSeqno;
    this._onPayload = this.#usual = library._onPayload;
    this.#onData = onData;
    this.#name = library._decipherSSLName as GcmName;
    this.#key = createSecretKey(library._decipherKey);
    this.#iv = library._decipherIV;
  }

  free(): void {}

  /**
   * Works through `bytes` from `at` to `end`.
   *
   * @returns where to go on with another decipher, or undefined when all has been used
   * @throws Error where a packet is too long or was not sealed by the peer
   */
  decrypt(bytes: Buffer, at: number, end: number): number | undefined {
    let from = at;
    while (from < end) {
      let packet: Buffer;
      if (this.#have === 0 && end - from >= 4 && end - from >= packetSize(bytes.readUInt32BE(from))) {
        const size = packetSize(bytes.readUInt32BE(from));
        packet = bytes.subarray(from, from + size);
        from += size;
      } else {
        from += this.#collect(bytes, from, end);
        if (this.#partial === undefined || this.#have < this.#partial.length) return undefined;
        packet = this.#partial;
        this.#partial = undefined;
        this.#have = 0;
      }
      const payload = this.#open(packet);
      if (payload[0] === CHANNEL_DATA && this._onPayload === this.#usual && this.#takeData(payload)) continue;
      const next = this._onPayload(payload);
      if (next !== undefined) return next === false ? from : next;
    }
    return undefined;
  }

  /** Keeps bytes of a packet that is not whole; returns how many. */
  #collect(bytes: Buffer, from: number, end: number): number {
    let used = 0;
    while (this.#have < 4 && from + used < end) this.#lengthBytes[this.#have++] = bytes[from + used++] as number;
    if (this.#have < 4) return used;
    if (this.#partial === undefined) {
      this.#partial = Buffer.allocUnsafe(packetSize(this.#lengthBytes.readUInt32BE(0)));
      this.#partial.set(this.#lengthBytes, 0);
    }
    const size = Math.min(this.#partial.length - this.#have, end - from - used);
    bytes.copy(this.#partial, this.#have, from + used, from + used + size);
    this.#have += size;
    return used + size;
  }

  #open(packet: Buffer): Buffer {
    const sealedEnd = packet.length - TAG;
    const decipher = createDecipheriv(this.#name, this.#key, this.#iv);
    decipher.setAAD(packet.subarray(0, 4));
    decipher.setAuthTag(packet.subarray(sealedEnd));
    const opened = decipher.update(packet.subarray(4, sealedEnd));
    // Throws unless the tag is right; nothing of the packet has been looked at before.
    decipher.final();
    increment(this.#iv);
    this.inSeqno = (this.inSeqno + 1) >>> 0;
    const padding = opened[0] as number;
    if (padding + 1 > opened.length) throw new Error("Bad padding length");
    return opened.subarray(1, opened.length - padding);
  }

  #takeData(payload: Buffer): boolean {
    if (payload.length < DATA_HEADER) return false;
    const length = payload.readUInt32BE(5);
    if (length > payload.length - DATA_HEADER) return false;
    return this.#onData(payload.readUInt32BE(1), payload.subarray(DATA_HEADER, DATA_HEADER + length));
  }
}

/** Bytes of a packet on the wire, given its length field. @throws Error where no packet can have that length */
function packetSize(length: number): number {
  if (length + 4 + TAG > MAX_PACKET || length < BLOCK || length % BLOCK !== 0) {
    throw new Error(`Bad packet length: ${length}`);
  }
  return 4 + length + TAG;
}

/** RFC 5647, section 7.1: the last eight bytes of the nonce count the packets. */
function increment(iv: Buffer): void {
  for (let index = 11; index >= 4; index--) {
    const next = ((iv[index] as number) + 1) & 0xff;
    iv[index] = next;
    if (next !== 0) return;
  }
}

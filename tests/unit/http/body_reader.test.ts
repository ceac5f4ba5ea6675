import assert from "node:assert/strict";
import test from "node:test";
import { BodyReader } from "../../../src/http/body.ts";
import type { Framing } from "../../../src/http/framing.ts";

interface Read {
  data: string;
  trailers: [name: string, value: string][];
  /** Bytes that belonged to the message. */
  consumed: number;
  done: boolean;
}

/** Feeds `text` to a reader in slices that end at `cuts`. */
function read(framing: Framing, text: string, cuts: number[] = []): Read {
  const bytes = Buffer.from(text, "latin1");
  const reader = new BodyReader(framing);
  let data = "";
  let consumed = 0;
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const slice = bytes.subarray(from, to);
    const used = reader.read(slice, (piece) => data += piece.toString("latin1"));
    consumed += used;
    if (used < slice.length) {
      assert.ok(reader.done, "bytes are left over only behind the end");
      break;
    }
    from = to;
  }
  return { data, trailers: reader.trailers.map(({ name, value }) => [name, value]), consumed, done: reader.done };
}

const chunked: Framing = { kind: "chunked" };
const NEXT = "GET /next HTTP/1.1\r\n\r\n";

const bodies: [name: string, framing: Framing, text: string, data: string, trailers: [string, string][]][] = [
  ["a body of a length", { kind: "length", length: 11 }, "hello\r\n\r\nyo", "hello\r\n\r\nyo", []],
  ["no body", { kind: "none" }, "", "", []],
  ["an empty chunked body", chunked, "0\r\n\r\n", "", []],
  ["a chunked body", chunked, "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", []],
  ["a chunked body whose data looks like framing", chunked, "7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n", "0\r\n\r\n0\r", []],
  ["chunk sizes with upper case and leading zeros", chunked, "00A\r\n0123456789\r\n000\r\n\r\n", "0123456789", []],
  ["chunk extensions", chunked, '2;a=b;c="d;e"\r\nhi\r\n1 ;x\r\n!\r\n0;last\r\n\r\n', "hi!", []],
  [
    "trailers",
    chunked,
    "3\r\nabc\r\n0\r\nDigest: x=y\r\nx-Two:  2 \r\n\r\n",
    "abc",
    [["Digest", "x=y"], ["x-Two", "2"]],
  ],
];

for (const [name, framing, text, data, trailers] of bodies) {
  const whole = { data, trailers, consumed: text.length, done: true };

  test(`body: ${name} is read as a whole, and what follows is the next message's`, () => {
    assert.deepEqual(read(framing, text), whole);
    assert.deepEqual(read(framing, text + NEXT), whole);
  });

  test(`body: ${name} is the same in every two slices`, () => {
    for (let cut = 0; cut <= text.length; cut++) {
      assert.deepEqual(read(framing, text + NEXT, [cut]), whole, `cut at ${cut}`);
    }
  });

  test(`body: ${name} is the same in every three slices, and byte by byte`, () => {
    for (let one = 0; one <= text.length; one++) {
      for (let two = one; two <= text.length + 3; two++) {
        assert.deepEqual(read(framing, text + NEXT, [one, two]), whole, `cut at ${one} and ${two}`);
      }
    }
    const everywhere = Array.from({ length: text.length + NEXT.length }, (_, index) => index);
    assert.deepEqual(read(framing, text + NEXT, everywhere), whole);
  });

  test(`body: ${name} is not done a byte before its end`, () => {
    for (let size = 0; size < text.length; size++) {
      assert.equal(read(framing, text.slice(0, size)).done, false, `after ${size} bytes`);
    }
  });
}

test("body: one that ends with the connection takes everything", () => {
  const text = "0\r\n\r\nall of it";
  assert.deepEqual(read({ kind: "until-close" }, text, [1, 5]), {
    data: text,
    trailers: [],
    consumed: text.length,
    done: false,
  });
});

test("body: pieces are handed out as they come, without waiting for the end of a chunk", () => {
  const reader = new BodyReader(chunked);
  const pieces: string[] = [];
  for (const slice of ["A\r\n01", "234", "56"]) reader.read(Buffer.from(slice), (piece) => pieces.push(`${piece}`));
  assert.deepEqual(pieces, ["01", "234", "56"]);
});

const broken: Record<string, string> = {
  "a size that is no hexadecimal number": "xyz\r\n",
  "no size at all": "\r\n",
  "a size with a sign": "+5\r\nhello\r\n",
  "a size with 0x": "0x5\r\nhello\r\n",
  "a size with a blank before it": " 5\r\nhello\r\n",
  "a size of more digits than a number holds": "1000000000000\r\n",
  "a size line that ends with LF alone": "5\nhello\r\n",
  "a CR inside a size line": "5\r;\r\nhello\r\n",
  "a control character in an extension": "5;\x00\r\nhello\r\n",
  "a chunk that is longer than its size": "5\r\nhello!\r\n0\r\n\r\n",
  "a chunk that is shorter than its size": "5\r\nhell\r\n0\r\n\r\n",
  "a chunk that ends with LF alone": "5\r\nhello\n0\r\n\r\n",
  "a trailer line that ends with LF alone": "0\r\na: b\n\r\n",
  "a trailer line without a colon": "0\r\nab\r\n\r\n",
  "a folded trailer line": "0\r\na: b\r\n c\r\n\r\n",
  "a request behind the last chunk in the place of trailers": "0\r\nGET / HTTP/1.1\r\n\r\n",
};

for (const [name, text] of Object.entries(broken)) {
  test(`body: ${name} is refused, however it is sliced`, () => {
    assert.throws(() => read(chunked, text), { name: "MessageError", status: 400 });
    const everywhere = Array.from({ length: text.length }, (_, index) => index);
    assert.throws(() => read(chunked, text, everywhere), { name: "MessageError", status: 400 });
  });
}

test("body: a size line without an end is refused before it fills the memory", () => {
  assert.throws(() => read(chunked, `5;${"x".repeat(5000)}`), { name: "MessageError" });
  assert.equal(read(chunked, `1;${"x".repeat(3000)}\r\n!\r\n0\r\n\r\n`).data, "!");
});

test("body: trailers without an end are refused before they fill the memory", () => {
  assert.throws(() => read(chunked, `0\r\n${"a: bcdefgh\r\n".repeat(2000)}`), { name: "MessageError" });
  assert.equal(read(chunked, `0\r\n${"a: bcdefgh\r\n".repeat(500)}\r\n`).trailers.length, 500);
});

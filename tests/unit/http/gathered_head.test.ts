import assert from "node:assert/strict";
import test from "node:test";
import { GatheredHead } from "../../../src/http/gathered_head.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

test("gathered head: it is found however the bytes are cut, with what is behind it", () => {
  for (let size = 1; size <= HEAD.length; size++) {
    const gathered = new GatheredHead(100, true);
    let found: ReturnType<GatheredHead["take"]>;
    const text = `\r\n${HEAD}`;
    let at = 0;
    for (; found === undefined; at += size) found = gathered.take(Buffer.from(text.slice(at, at + size)));
    assert.equal(found.head.toString(), HEAD, `pieces of ${size}`);
    assert.equal(found.rest.toString(), text.slice(2 + HEAD.length, at));
    assert.equal(gathered.partial.length, 0);
  }
});

test("gathered head: one after the other comes out whole", () => {
  const gathered = new GatheredHead(100, false);
  assert.equal(gathered.take(Buffer.from(HEAD.slice(0, 5))), undefined);
  const first = gathered.take(Buffer.from(`${HEAD.slice(5)}${HEAD}`));
  assert.equal(first?.head.toString(), HEAD);
  assert.equal(gathered.take(first?.rest as Buffer)?.head.toString(), HEAD);
});

test("gathered head: one that is too large is refused, complete or not", () => {
  assert.throws(() => new GatheredHead(HEAD.length - 1, true).take(Buffer.from(HEAD)), { code: "head-too-large" });
  assert.equal(new GatheredHead(HEAD.length, true).take(Buffer.from(HEAD))?.rest.length, 0);
  const gathered = new GatheredHead(10, true);
  gathered.take(Buffer.from("GET / HTTP"));
  assert.throws(() => gathered.take(Buffer.from("/")), { code: "head-too-large", status: 431 });
});

test("gathered head: a line that ends with LF alone is refused in any piece", () => {
  const gathered = new GatheredHead(100, true);
  gathered.take(Buffer.from("GET / HTTP/1.1\r\nHost: x"));
  assert.throws(() => gathered.take(Buffer.from("\n")), { name: "MessageError" });
});

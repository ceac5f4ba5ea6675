import assert from "node:assert/strict";
import test from "node:test";
import { parseResponseHead } from "../../../src/http/head.ts";
import { valueOf } from "../../../src/http/fields.ts";
import { type Refusal, refusalBytes, refusals } from "../../../src/server/refusal.ts";

const REFUSAL: Refusal = { status: 503, code: "some-code", message: 'Wärme "x"', retryAfter: 7 };

function parse(refusal: Refusal, options: { close: boolean; withoutBody: boolean }) {
  const bytes = refusalBytes(refusal, { ...options, request: "abc-1" });
  const end = bytes.indexOf("\r\n\r\n") + 4;
  const head = parseResponseHead(bytes.subarray(0, end));
  return { head, field: (name: string) => valueOf(head.fields, name), body: bytes.subarray(end) };
}

test("refusal: it is an answer with its code and its sentence as JSON", () => {
  const { head, field, body } = parse(REFUSAL, { close: false, withoutBody: false });
  assert.equal(head.status, 503);
  assert.equal(head.reason, "Service Unavailable");
  assert.equal(field("content-type"), "application/json");
  assert.deepEqual(JSON.parse(body.toString()), {
    g2c: "unavailable",
    code: "some-code",
    message: 'Wärme "x"',
    request: "abc-1",
  });
  assert.equal(field("x-request-id"), "abc-1");
  assert.equal(field("content-length"), String(body.length), "counted in bytes");
  assert.equal(field("retry-after"), "7");
  assert.equal(field("cache-control"), "no-store");
  assert.equal(field("x-content-type-options"), "nosniff", "what a browser must not take for HTML");
  assert.ok(!Number.isNaN(Date.parse(field("date") ?? "")));
});

test("refusal: it says whether the connection closes", () => {
  assert.equal(parse(REFUSAL, { close: true, withoutBody: false }).field("connection"), "close");
  assert.equal(parse(REFUSAL, { close: false, withoutBody: false }).field("connection"), undefined);
});

test("refusal: to HEAD it has the length of its body, and no body", () => {
  const whole = parse(REFUSAL, { close: false, withoutBody: false });
  const head = parse(REFUSAL, { close: false, withoutBody: true });
  assert.equal(head.body.length, 0);
  assert.equal(head.field("content-length"), whole.field("content-length"));
});

test("refusal: where nothing is gained by waiting no time is named", () => {
  const { retryAfter: _, ...refusal } = REFUSAL;
  assert.equal(parse(refusal, { close: false, withoutBody: false }).field("retry-after"), undefined);
});

for (const [name, refusal] of Object.entries(refusals)) {
  test(`refusal: ${name} is a complete answer with a reason and a sentence`, () => {
    const { head, body } = parse(refusal, { close: true, withoutBody: false });
    assert.equal(head.status, refusal.status);
    assert.match(head.reason, /^[A-Z][A-Za-z -]+$/);
    assert.match(refusal.code, /^[a-z]+(?:-[a-z]+)*$/);
    assert.match(refusal.message, /^[A-Z].*\.$/);
    assert.equal(JSON.parse(body.toString()).code, refusal.code);
  });
}

test("refusal: no two have the same code", () => {
  const codes = Object.values(refusals).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
});

test("refusal: a caller's fault is told apart from the server's and the customer's by its status", () => {
  const { registrationUnknown, headTooLarge, headTooSlow, bodyTooLarge, bodyTooSlow, ...more } = refusals;
  const { callerNotAllowed, certificateMissing, certificateRefused, credentialsMissing, credentialsWrong, ...rest } =
    more;
  const { credentialsAmbiguous, tooManyFailures, accessRevoked, ...others } = rest;
  const callers: Refusal[] = [
    registrationUnknown,
    headTooLarge,
    headTooSlow,
    bodyTooLarge,
    bodyTooSlow,
    callerNotAllowed,
  ];
  callers.push(certificateMissing, certificateRefused, credentialsMissing, credentialsWrong);
  callers.push(credentialsAmbiguous, tooManyFailures, accessRevoked);
  for (const { status } of callers) assert.ok(status >= 400 && status < 500);
  for (const { status } of Object.values(others)) assert.ok(status >= 500);
});

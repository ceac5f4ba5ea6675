import assert from "node:assert/strict";
import test from "node:test";
import { parseRequestHead } from "../../../src/http/head.ts";
import { requestTarget } from "../../../src/server/request_target.ts";

const targetOf = (firstLine: string, ...lines: string[]) =>
  requestTarget(parseRequestHead(Buffer.from([firstLine, ...lines, "", ""].join("\r\n"), "latin1")));

const accepted: [firstLine: string, lines: string[], host: string, target: string][] = [
  ["GET / HTTP/1.1", ["Host: 1001.example.com"], "1001.example.com", "/"],
  ["GET /a?b=http://other/ HTTP/1.1", ["Host: x:8090"], "x:8090", "/a?b=http://other/"],
  ["GET //other/path HTTP/1.1", ["Host: x"], "x", "//other/path"],
  ["GET / HTTP/1.1", ["Host: [::1]:80"], "[::1]:80", "/"],
  ["GET / HTTP/1.1", ["Host: x:"], "x:", "/"],
  ["GET / HTTP/1.1", ["Host:"], "", "/"],
  ["GET / HTTP/1.1", ["hOsT: A_b.Example"], "A_b.Example", "/"],
  ["GET / HTTP/1.0", [], "", "/"],
  ["GET / HTTP/1.0", ["Host: x"], "x", "/"],
  ["OPTIONS * HTTP/1.1", ["Host: x"], "x", "*"],
  ["GET http://x/a?b HTTP/1.1", ["Host: x"], "x", "/a?b"],
  ["GET HTTP://X:80/a HTTP/1.1", ["Host: x:80"], "x:80", "/a"],
  ["GET https://x/a HTTP/1.1", ["Host: x"], "x", "/a"],
  ["GET http://x HTTP/1.1", ["Host: x"], "x", "/"],
  ["GET http://x?q HTTP/1.1", ["Host: x"], "x", "/?q"],
  ["OPTIONS http://x HTTP/1.1", ["Host: x"], "x", "*"],
  ["OPTIONS http://x/ HTTP/1.1", ["Host: x"], "x", "/"],
];

for (const [firstLine, lines, host, target] of accepted) {
  test(`request target: ${JSON.stringify([firstLine, ...lines])} goes to ${host} as ${target}`, () => {
    assert.deepEqual(targetOf(firstLine, ...lines), { host, target });
  });
}

const refused: Record<string, [firstLine: string, ...lines: string[]]> = {
  "no Host": ["GET / HTTP/1.1"],
  "two Host fields": ["GET / HTTP/1.1", "Host: a", "Host: b"],
  "the same Host twice": ["GET / HTTP/1.1", "Host: a", "host: a"],
  "two Host fields in HTTP/1.0": ["GET / HTTP/1.0", "Host: a", "Host: b"],
  "a list of hosts": ["GET / HTTP/1.1", "Host: a, b"],
  "a blank in Host": ["GET / HTTP/1.1", "Host: a b"],
  "a URL in Host": ["GET / HTTP/1.1", "Host: http://a"],
  "a path in Host": ["GET / HTTP/1.1", "Host: a/b"],
  "a user in Host": ["GET / HTTP/1.1", "Host: user@a"],
  "a quote in Host": ["GET / HTTP/1.1", 'Host: a"b'],
  "a backslash in Host": ["GET / HTTP/1.1", "Host: a\\b"],
  "raw UTF-8 in Host": ["GET / HTTP/1.1", "Host: \xc3\xbc"],
  "a port that is no number": ["GET / HTTP/1.1", "Host: a:b"],
  "a port of six digits": ["GET / HTTP/1.1", "Host: a:123456"],
  "an IPv6 address without brackets": ["GET / HTTP/1.1", "Host: ::1"],
  "another host in the URL": ["GET http://b/ HTTP/1.1", "Host: a"],
  "another port in the URL": ["GET http://a:81/ HTTP/1.1", "Host: a:80"],
  "a user in the URL": ["GET http://user@a/ HTTP/1.1", "Host: a"],
  "a URL of another scheme": ["GET ftp://a/ HTTP/1.1", "Host: a"],
  "a URL with a fragment": ["GET http://a/#x HTTP/1.1", "Host: a"],
  "a target that is neither path nor URL": ["GET path HTTP/1.1", "Host: a"],
  "* for another method than OPTIONS": ["GET * HTTP/1.1", "Host: a"],
  "a host alone": ["GET a:80 HTTP/1.1", "Host: a:80"],
};

for (const [name, [firstLine, ...lines]] of Object.entries(refused)) {
  test(`request target: a request with ${name} is refused`, () => {
    assert.throws(() => targetOf(firstLine, ...lines), { name: "MessageError", status: 400 });
  });
}

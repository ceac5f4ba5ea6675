import { head } from "../world/raw_http.ts";

/** A request that can be read in more ways than one, or in none. */
export interface Malformed {
  readonly what: string;
  /** The bytes to send to the registration `id`; `smuggled` is the request that must never be seen as one. */
  readonly bytes: (id: string, smuggled: string) => string;
  /** Status codes of the refusal; 400 unless said. */
  readonly status?: number;
}

/** A POST request with these field lines, then `rest`. */
const post = (lines: readonly string[], rest: (smuggled: string) => string, what = lines.join(" and ")): Malformed => ({
  what,
  bytes: (id, smuggled) => head("POST / HTTP/1.1", `Host: ${id}`, ...lines) + rest(smuggled),
});

/** An empty chunked body of five bytes, and the smuggled request behind it: inside the body or behind it, as one reads. */
const behindFive = (smuggled: string) => `0\r\n\r\n${smuggled}`;
const plain = (smuggled: string) => smuggled;

/** Where the body ends. */
export const FRAMING: readonly Malformed[] = [
  post(["Content-Length: 5", "Transfer-Encoding: chunked"], behindFive),
  post(["Transfer-Encoding: chunked", "Content-Length: 5"], behindFive),
  post(["Content-Length: 0", "Transfer-Encoding: chunked"], behindFive),
  post(["Transfer-Encoding: chunked", "Content-Length: 1000"], behindFive),
  post(["Content-Length: 5", "Content-Length: 0"], behindFive, "two different lengths"),
  post(["Content-Length: 0", "Content-Length: 5"], behindFive, "two different lengths, the smaller one first"),
  post(["Content-Length: 5", "Content-Length: 5"], behindFive, "the same length twice"),
  post(["Content-Length: 5", "content-LENGTH: 0"], behindFive, "two lengths in different case"),
  post(["Content-Length: 5, 5"], behindFive),
  post(["Content-Length: 5, 0"], behindFive),
  post(["Content-Length: 5,"], behindFive),
  post(["Content-Length: +5"], behindFive),
  post(["Content-Length: -1"], plain),
  post(["Content-Length: 0x5"], behindFive),
  post(["Content-Length: 5 0"], behindFive),
  post(["Content-Length: 5\t0"], behindFive, "a length with a tab inside"),
  post(["Content-Length: 5\x0b"], behindFive, "a length with a vertical tab behind"),
  post(["Content-Length: "], plain, "an empty length"),
  post(["Content-Length: 5.0"], behindFive),
  post(["Content-Length: 5e0"], behindFive),
  post(["Content-Length: 5;q=1"], behindFive),
  post(['Content-Length: "5"'], behindFive),
  post(["Content-Length: 99999999999999999999"], plain),
  post(["Content-Length: 18446744073709551616"], plain),
  post(["Content-Length: \xb2"], plain, "a length of digits that are not ASCII"),
  post(["Transfer-Encoding: xchunked"], behindFive),
  post(["Transfer-Encoding: chunkedx"], behindFive),
  post(["Transfer-Encoding: chunked, identity"], behindFive),
  post(["Transfer-Encoding: identity, chunked"], behindFive),
  post(["Transfer-Encoding: gzip, chunked"], behindFive),
  post(["Transfer-Encoding: identity"], behindFive),
  post(["Transfer-Encoding: chunked, chunked"], behindFive),
  post(["Transfer-Encoding: chunked,"], behindFive),
  post(["Transfer-Encoding: ,chunked"], behindFive),
  post(["Transfer-Encoding: chunked;a=b"], behindFive),
  post(['Transfer-Encoding: "chunked"'], behindFive),
  post(["Transfer-Encoding: "], behindFive, "an empty Transfer-Encoding"),
  post(["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], behindFive),
  post(["Transfer-Encoding: identity", "Transfer-Encoding: chunked"], behindFive),
  post(["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], behindFive, "Transfer-Encoding twice"),
  post(["Content-Length: 5", "Transfer-Encoding: xchunked"], behindFive),
  post(["Content-Length: 5", "Transfer-Encoding : chunked"], behindFive),
  post(["Content-Length: 5", "Transfer-Encoding\t: chunked"], behindFive, "a tab before the colon"),
  post(["Content-Length: 5", "\tTransfer-Encoding: chunked"], behindFive, "a tab before Transfer-Encoding"),
  post(["Content-Length: 5", " Transfer-Encoding: chunked"], behindFive, "a space before Transfer-Encoding"),
  post(["Content-Length: 5", "Transfer-Encoding:\x0bchunked"], behindFive, "a vertical tab before chunked"),
  post(["Content-Length: 5", "Transfer-Encoding: chunked\x0b"], behindFive, "a vertical tab behind chunked"),
  post(["Content-Length: 5", "Transfer-Encoding:\x0cchunked"], behindFive, "a form feed before chunked"),
  post(["Content-Length: 5", "Transfer-Encoding: \0chunked"], behindFive, "a NUL before chunked"),
  post(["Content-Length: 5", "Transfer-Encoding:\r\n chunked"], behindFive, "a folded Transfer-Encoding"),
  post(["Content-Length: 5", "X-A: b\nTransfer-Encoding: chunked"], behindFive, "Transfer-Encoding behind a bare LF"),
  post(["Content-Length: 5", "X-A: b\rTransfer-Encoding: chunked"], behindFive, "Transfer-Encoding behind a bare CR"),
  post(
    ["Content-Length: 5", "X-A: b\r\n\rTransfer-Encoding: chunked"],
    behindFive,
    "a bare CR before Transfer-Encoding",
  ),
  post(["Content-Length: 5", "Transfer-Encoding\0: chunked"], behindFive, "a NUL behind Transfer-Encoding"),
  post(["Content-Length: 5", "Transfer\xadEncoding: chunked"], behindFive, "a byte above ASCII in Transfer-Encoding"),
  post(["Connection: Content-Length", "Content-Length: 5", "Transfer-Encoding: chunked"], behindFive),
  {
    what: "Transfer-Encoding in HTTP/1.0",
    bytes: (id, smuggled) =>
      head("POST / HTTP/1.0", `Host: ${id}`, "Connection: keep-alive", "Transfer-Encoding: chunked") +
      behindFive(smuggled),
  },
];

/** Chunks; the smuggled request stands where a lenient reader ends the body. */
export const CHUNKS: readonly Malformed[] = ([
  ["a size of 0x3", (smuggled) => `0x3\r\nabc\r\n0\r\n\r\n${smuggled}`],
  ["a size of +3", (smuggled) => `+3\r\nabc\r\n0\r\n\r\n${smuggled}`],
  ["a size of -1", (smuggled) => `-1\r\n\r\n${smuggled}`],
  ["a size of -0", (smuggled) => `-0\r\n\r\n${smuggled}`],
  ["a size of 3g", (smuggled) => `3g\r\nabc\r\n0\r\n\r\n${smuggled}`],
  ["a size of 0g", (smuggled) => `0g\r\n\r\n${smuggled}`],
  ["a size of 1_0", (smuggled) => `1_0\r\nabc\r\n0\r\n\r\n${smuggled}`],
  ["an empty size", (smuggled) => `\r\n\r\n${smuggled}`],
  ["only an extension", (smuggled) => `;a=b\r\n\r\n${smuggled}`],
  ["a size of 17 digits", (smuggled) => `fffffffffffffffff\r\n\r\n${smuggled}`],
  ["a size of 2^64", (smuggled) => `10000000000000000\r\n\r\n${smuggled}`],
  ["a size of 2^64 and 3", (smuggled) => `10000000000000003\r\nabc\r\n0\r\n\r\n${smuggled}`],
  ["a space before the size", (smuggled) => ` 3\r\nabc\r\n0\r\n\r\n${smuggled}`],
  ["a tab before the size", (smuggled) => `\t0\r\n\r\n${smuggled}`],
  ["a space inside the size", (smuggled) => `0 3\r\n\r\n${smuggled}`],
  ["a vertical tab behind the size", (smuggled) => `0\x0b\r\n\r\n${smuggled}`],
  ["a NUL behind the size", (smuggled) => `0\0\r\n\r\n${smuggled}`],
  ["a comma behind the size", (smuggled) => `0,3\r\n\r\n${smuggled}`],
  ["a bare LF behind the size", (smuggled) => `3\nabc\r\n0\r\n\r\n${smuggled}`],
  ["a bare CR behind the size", (smuggled) => `3\rabc\r\n0\r\n\r\n${smuggled}`],
  ["a bare LF behind the last size", (smuggled) => `0\n\r\n${smuggled}`],
  ["a bare LF behind the last chunk", (smuggled) => `0\r\n\n${smuggled}`],
  ["a bare LF behind the data", (smuggled) => `3\r\nabc\n0\r\n\r\n${smuggled}`],
  ["a bare CR behind the data", (smuggled) => `3\r\nabc\r0\r\n\r\n${smuggled}`],
  ["nothing behind the data", (smuggled) => `3\r\nabc0\r\n\r\n${smuggled}`],
  ["more data than the size", (smuggled) => `3\r\nabcdef\r\n0\r\n\r\n${smuggled}`],
  ["an extra CRLF behind the data", (smuggled) => `3\r\nabc\r\n\r\n0\r\n\r\n${smuggled}`],
  ["an extension with a bare CR", (smuggled) => `0;a=\rb\r\n\r\n${smuggled}`],
  ["an extension with a bare LF", (smuggled) => `3;a=\nabc\r\n0\r\n\r\n${smuggled}`],
  ["an extension with a NUL", (smuggled) => `0;a=\0b\r\n\r\n${smuggled}`],
  ["an extension with a bare LF and a size", (smuggled) => `2;\nxx\r\n4c\r\n0\r\n\r\n${smuggled}`],
  ["an extension without an end", () => `0;${"a".repeat(10_000)}`],
  ["a folded trailer", (smuggled) => `0\r\nX-A: b\r\n c\r\n\r\n${smuggled}`],
  ["a trailer with white space before its colon", (smuggled) => `0\r\nX-A : b\r\n\r\n${smuggled}`],
  ["a trailer with a bare LF", (smuggled) => `0\r\nX-A: b\n\r\n${smuggled}`],
  ["a trailer with a bare CR", (smuggled) => `0\r\nX-A: b\rc\r\n\r\n${smuggled}`],
  ["a trailer without a colon", (smuggled) => `0\r\n${smuggled}`],
] as [string, (smuggled: string) => string][]).map(([what, rest]) =>
  post(["Transfer-Encoding: chunked"], rest, `a chunk: ${what}`)
);

/** A GET request of these lines, with the smuggled one behind. */
const get = (what: string, lines: (id: string) => string[], status?: number): Malformed => ({
  what,
  bytes: (id, smuggled) => head(...lines(id)) + smuggled,
  ...(status === undefined ? {} : { status }),
});

/** Lines and fields. */
export const FIELDS: readonly Malformed[] = [
  get("a folded field", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: b", " c"]),
  get("a field folded with a tab", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: b", "\tc: d"]),
  get("white space before the first field", (id) => ["GET / HTTP/1.1", ` Host: ${id}`, `Host: ${id}`]),
  get("a line of white space", (id) => ["GET / HTTP/1.1", `Host: ${id}`, " "]),
  get("a bare CR in a value", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: b\rX-C: d"]),
  get("a bare LF in a value", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: b\nX-C: d"]),
  get("a CR before the CRLF", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: b\r"]),
  get(
    "two bare LFs inside the head",
    (id) => ["GET / HTTP/1.1", `Host: ${id}`, `X-A: b\n\nGET /smuggled HTTP/1.1\nHost: ${id}`],
  ),
  get(
    "two bare CRs inside the head",
    (id) => ["GET / HTTP/1.1", `Host: ${id}`, `X-A: b\r\rGET /smuggled HTTP/1.1\rHost: ${id}`],
  ),
  get("a NUL in a value", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: b\0c"]),
  get("a NUL in a name", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A\0: b"]),
  get("an escape character in a value", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: \x1b[2J"]),
  get("a delete character in a value", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A: \x7f"]),
  get("a space before the colon", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A : b"]),
  get("a space inside a name", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X A: b"]),
  get("an empty name", (id) => ["GET / HTTP/1.1", `Host: ${id}`, ": b"]),
  get("no colon", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-A"]),
  get("a name in parentheses", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X(A): b"]),
  get("a name above ASCII", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "X-\xc4: b"]),
  {
    what: "bare LFs as line ends",
    bytes: (id, smuggled) => `GET / HTTP/1.1\nHost: ${id}\n\n${smuggled}`,
  },
  {
    what: "a bare LF behind the request line",
    bytes: (id, smuggled) => `GET / HTTP/1.1\n${head(`Host: ${id}`)}${smuggled}`,
  },
  {
    what: "a bare LF as the empty line",
    bytes: (id, smuggled) => `GET / HTTP/1.1\r\nHost: ${id}\r\n\n${smuggled}`,
  },
  {
    what: "bare CRs as line ends",
    bytes: (id, smuggled) => `GET / HTTP/1.1\rHost: ${id}\r\r${smuggled}`,
  },
  {
    what: "a bare LF before the request line",
    bytes: (id, smuggled) => `\n${head("GET / HTTP/1.1", `Host: ${id}`)}${smuggled}`,
  },
];

/** The request line and the host. */
export const TARGETS: readonly Malformed[] = [
  get("another host in the target", (id) => ["GET http://9999/ HTTP/1.1", `Host: ${id}`]),
  get("another host in Host", (id) => [`GET http://${id}/ HTTP/1.1`, "Host: 9999"]),
  get("another port in the target", (id) => [`GET http://${id}:81/ HTTP/1.1`, `Host: ${id}:82`]),
  get("a user name in the target", (id) => [`GET http://user@${id}/ HTTP/1.1`, `Host: ${id}`]),
  get("another scheme in the target", (id) => [`GET ftp://${id}/ HTTP/1.1`, `Host: ${id}`]),
  get("a host alone as target", (id) => [`GET ${id}:80 HTTP/1.1`, `Host: ${id}`]),
  get("a URL without a host", (id) => ["GET http:///path HTTP/1.1", `Host: ${id}`]),
  get("two hosts", (id) => ["GET / HTTP/1.1", `Host: ${id}`, "Host: 9999"]),
  get("the same host twice", (id) => ["GET / HTTP/1.1", `Host: ${id}`, `hOST: ${id}`]),
  get("no host", () => ["GET / HTTP/1.1"]),
  get("a host with a space", (id) => ["GET / HTTP/1.1", `Host: ${id} 9999`]),
  get("a host with a tab", (id) => ["GET / HTTP/1.1", `Host: ${id}\t.example.com`]),
  get("a host with a slash", (id) => ["GET / HTTP/1.1", `Host: ${id}/9999`]),
  get("a host with a backslash", (id) => ["GET / HTTP/1.1", `Host: ${id}\\9999`]),
  get("a host with a user name", (id) => ["GET / HTTP/1.1", `Host: user@${id}`]),
  get("a host with a query", (id) => ["GET / HTTP/1.1", `Host: ${id}?a`]),
  get("a host with a fragment", (id) => ["GET / HTTP/1.1", `Host: ${id}#a`]),
  get("a host with a quotation mark", (id) => ["GET / HTTP/1.1", `Host: ${id}"`]),
  get("a host with a port that is no number", (id) => ["GET / HTTP/1.1", `Host: ${id}:80a`]),
  get("a host with two ports", (id) => ["GET / HTTP/1.1", `Host: ${id}:80:81`]),
  get("a host above ASCII", (id) => ["GET / HTTP/1.1", `Host: ${id}\xe4`]),
  get("two spaces in the request line", (id) => ["GET  / HTTP/1.1", `Host: ${id}`]),
  get("two spaces before the version", (id) => ["GET /  HTTP/1.1", `Host: ${id}`]),
  get("a space before the method", (id) => [" GET / HTTP/1.1", `Host: ${id}`]),
  get("a space behind the version", (id) => ["GET / HTTP/1.1 ", `Host: ${id}`]),
  get("a space in the target", (id) => ["GET /a b HTTP/1.1", `Host: ${id}`]),
  get("a second version in the target", (id) => ["GET / HTTP/1.1 HTTP/1.1", `Host: ${id}`]),
  get("a tab in the request line", (id) => ["GET\t/\tHTTP/1.1", `Host: ${id}`]),
  get("a tab before the version", (id) => ["GET /\tHTTP/1.1", `Host: ${id}`]),
  get("a vertical tab in the request line", (id) => ["GET /\x0bHTTP/1.1", `Host: ${id}`]),
  get("a NUL in the method", (id) => ["GE\0T / HTTP/1.1", `Host: ${id}`]),
  get("a NUL in the target", (id) => ["GET /\0 HTTP/1.1", `Host: ${id}`]),
  get("a bare CR in the target", (id) => ["GET /\r HTTP/1.1", `Host: ${id}`]),
  get("a bare LF in the target", (id) => [`GET /\nHost: ${id} HTTP/1.1`, `Host: ${id}`]),
  get("a delete character in the target", (id) => ["GET /\x7f HTTP/1.1", `Host: ${id}`]),
  get("a method that is no token", (id) => ["G(T / HTTP/1.1", `Host: ${id}`]),
  get("no method", (id) => ["/ HTTP/1.1", `Host: ${id}`]),
  get("no target", (id) => ["GET HTTP/1.1", `Host: ${id}`]),
  get("no version", (id) => ["GET /", `Host: ${id}`]),
  get("a target without its slash", (id) => ["GET path HTTP/1.1", `Host: ${id}`]),
  get("a target that is only a query", (id) => ["GET ?a=b HTTP/1.1", `Host: ${id}`]),
  get("an asterisk for another method than OPTIONS", (id) => ["GET * HTTP/1.1", `Host: ${id}`]),
  get("a version in lower case", (id) => ["GET / http/1.1", `Host: ${id}`]),
  get("a version with leading zeros", (id) => ["GET / HTTP/01.1", `Host: ${id}`]),
  get("a version of one digit", (id) => ["GET / HTTP/1", `Host: ${id}`]),
  get("a version with a second digit", (id) => ["GET / HTTP/1.10", `Host: ${id}`]),
  get("a version with a letter", (id) => ["GET / HTTP/1.x", `Host: ${id}`]),
  get("another protocol", (id) => ["GET / ICY/1.1", `Host: ${id}`]),
  get("HTTP/1.2", (id) => ["GET / HTTP/1.2", `Host: ${id}`], 505),
  get("HTTP/2.0", (id) => ["GET / HTTP/2.0", `Host: ${id}`], 505),
  get("HTTP/3.0", (id) => ["GET / HTTP/3.0", `Host: ${id}`], 505),
  get("HTTP/0.9", (id) => ["GET / HTTP/0.9", `Host: ${id}`], 505),
  get("the preface of HTTP/2", () => ["PRI * HTTP/2.0", "", "SM"], 505),
  get("CONNECT", (id) => [`CONNECT ${id}:443 HTTP/1.1`, `Host: ${id}:443`], 501),
  get("CONNECT with a path", (id) => ["CONNECT / HTTP/1.1", `Host: ${id}`], 501),
  { what: "HTTP/0.9 without a version", bytes: (_id, smuggled) => `GET /\r\n\r\n${smuggled}` },
  { what: "a TLS handshake", bytes: (_id, smuggled) => `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n${smuggled}` },
  {
    what: "a head that is too large",
    bytes: (id, smuggled) => head("GET / HTTP/1.1", `Host: ${id}`, `X-A: ${"a".repeat(66_000)}`) + smuggled,
    status: 431,
  },
];

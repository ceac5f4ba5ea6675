import { head } from "../world/raw_http.ts";

/**
 * One half of a pair: a request that carries another one inside, for services that find its end elsewhere. The other half is an
 * ordinary request that follows.
 */
export interface Smuggler {
  readonly what: string;
  /** The bytes to send to the registration `id`; `inside` is the request that must never be seen as one. */
  readonly bytes: (id: string, inside: string) => string;
  /** Status of the refusal; undefined where the request is legal and reaches the service, as one. */
  readonly refused?: number;
}

type Rest = (inside: string) => string;

const REFUSED = 400;

const visible = (text: string) => JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');

function smuggler(what: string, bytes: Smuggler["bytes"], refused?: number): Smuggler {
  return { what: visible(what), bytes, ...(refused === undefined ? {} : { refused }) };
}

/** A request with field lines that depend on what follows them. */
function request(
  what: string,
  lines: (rest: string) => string[],
  rest: Rest,
  refused?: number,
  firstLine = "POST /attack HTTP/1.1",
): Smuggler {
  return smuggler(
    what,
    (id, inside) => head(firstLine, `Host: ${id}`, ...lines(rest(inside))) + rest(inside),
    refused,
  );
}

/** An empty body in chunks, and more behind it. */
const behindChunks: Rest = (inside) => `0\r\n\r\n${inside}`;
const alone: Rest = (inside) => inside;
const sizeOf = (text: string) => text.length.toString(16);
const inChunk: Rest = (inside) => `${sizeOf(inside)}\r\n${inside}\r\n0\r\n\r\n`;
const all = (rest: string) => `Content-Length: ${rest.length}`;

/** CL.TE: a length that covers all, and chunks that do not, spelt in ways that only some read. */
const CL_TE: readonly Smuggler[] = [
  ["Transfer-Encoding: chunked"],
  ["Transfer-Encoding:chunked"],
  ["Transfer-Encoding: CHUNKED"],
  ["transfer-ENCODING: cHuNkEd"],
  ["Transfer-Encoding: \tchunked"],
  ["Transfer-Encoding:  chunked \t"],
  ["Transfer-Encoding: xchunked"],
  ["Transfer-Encoding: chunkedx"],
  ["Transfer-Encoding: x chunked"],
  ["Transfer-Encoding: chunked, identity"],
  ["Transfer-Encoding: identity, chunked"],
  ["Transfer-Encoding: chunked, chunked"],
  ["Transfer-Encoding: chunked,"],
  ["Transfer-Encoding: ,chunked"],
  ["Transfer-Encoding: gzip, chunked"],
  ["Transfer-Encoding: chunked;a=b"],
  ['Transfer-Encoding: "chunked"'],
  ["Transfer-Encoding: 'chunked'"],
  ["Transfer-Encoding: [chunked]"],
  ["Transfer-Encoding:\x0bchunked"],
  ["Transfer-Encoding:\x0cchunked"],
  ["Transfer-Encoding: chunked\x0b"],
  ["Transfer-Encoding: \0chunked"],
  ["Transfer-Encoding: chunked\0"],
  ["Transfer-Encoding: \x7fchunked"],
  ["Transfer-Encoding: \x85chunked"],
  ["Transfer-Encoding: \xa0chunked"],
  ["Transfer-Encoding: \xef\xbb\xbfchunked"],
  ["Transfer-Encoding: chunked\r"],
  ["Transfer-Encoding: \rchunked"],
  ["Transfer-Encoding : chunked"],
  ["Transfer-Encoding\t: chunked"],
  ["Transfer-Encoding\x0b: chunked"],
  ["Transfer-Encoding\0: chunked"],
  ["Transfer-Encoding\xa0: chunked"],
  [" Transfer-Encoding: chunked"],
  ["\tTransfer-Encoding: chunked"],
  ["\x0bTransfer-Encoding: chunked"],
  ["\0Transfer-Encoding: chunked"],
  ["Transfer Encoding: chunked", "Transfer-Encoding : chunked"],
  ["Transfer_Encoding: chunked"],
  ["Transfer.Encoding: chunked"],
  ["Transfer~Encoding: chunked"],
  ["Transfer-Encoding:\r\n chunked"],
  ["Transfer-Encoding:\r\n\tchunked"],
  ["Transfer-Encoding\r\n: chunked"],
  ["Transfer-Encoding\n: chunked"],
  ["X-A: b\nTransfer-Encoding: chunked"],
  ["X-A: b\rTransfer-Encoding: chunked"],
  ["X-A: b\n\rTransfer-Encoding: chunked"],
  ["X-A:\nTransfer-Encoding: chunked\nX-B:"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding : x"],
  ["Connection: Content-Length", "Transfer-Encoding: chunked"],
  ["Connection: keep-alive, Content-Length", "Transfer-Encoding: xchunked"],
].map((lines) => request(`CL.TE: ${lines.join(" | ")}`, (rest) => [all(rest), ...lines], behindChunks, REFUSED));

/** TE.CL: a length that covers the first size alone, and chunks that cover all. */
const TE_CL: readonly Smuggler[] = ([
  (length) => [`Content-Length: ${length}`, "Transfer-Encoding: chunked"],
  (length) => ["Transfer-Encoding: chunked", `Content-Length: ${length}`],
  (length) => ["Transfer-Encoding: chunked", `Content-Length:${length}`, "Connection: Transfer-Encoding"],
  (length) => ["Transfer-Encoding: chunked", `Content-Length : ${length}`],
  (length) => ["Transfer-Encoding: chunked", `Content-Length\0: ${length}`],
  (length) => ["Transfer-Encoding: chunked", ` Content-Length: ${length}`],
  (length) => ["Transfer-Encoding: chunked", `Content-Length: +${length}`],
  (length) => ["Transfer-Encoding: chunked", `Content-Length: ${length}, ${length}`],
  (length) => ["Transfer-Encoding: chunked", `content-length: ${length}`, `CONTENT-LENGTH: ${length}`],
  (length) => ["Transfer-Encoding: x", `Content-Length: ${length}`],
  (length) => ["Transfer-Encoding: identity", `Content-Length: ${length}`],
] as ((length: number) => string[])[]).map((lines) =>
  request(
    `TE.CL: ${lines(4).join(" | ")}`,
    (rest) => lines(rest.indexOf("\r\n") + 2),
    inChunk,
    REFUSED,
  )
);

/** Lengths that are 5 to some, before five bytes. */
const LENGTHS: readonly Smuggler[] = [
  "+5",
  "-5",
  "0x5",
  "0X05",
  "5 5",
  "5\t0",
  "5,5",
  "5, 6",
  "5,",
  ",5",
  "5;",
  "5;a=b",
  "5.0",
  "5e0",
  "5x",
  "x5",
  "0_5",
  '"5"',
  "'5'",
  "(5)",
  "5\x0b",
  "\x0b5",
  "5\0",
  "\x005",
  "5\xa0",
  "\xd9\xa5",
  "18446744073709551621",
  "36893488147419103237",
  "0x10000000000000005",
  "5\r\n 0",
  "\r\n 5",
].map((value) => request(`length ${value}`, () => [`Content-Length: ${value}`], behindChunks, REFUSED));

/** Several lengths. */
const CL_CL: readonly Smuggler[] = ([
  ["the smaller length first", (n) => ["Content-Length: 0", `Content-Length: ${n}`], REFUSED],
  ["the smaller length last", (n) => [`Content-Length: ${n}`, "Content-Length: 0"], REFUSED],
  [
    "the same length twice, and another",
    (n) => [`Content-Length: ${n}`, `Content-Length: ${n}`, "Content-Length: 0"],
    REFUSED,
  ],
  ["lengths in different case", (n) => ["content-length: 0", `CONTENT-LENGTH: ${n}`], REFUSED],
  ["a length that is folded", (n) => ["Content-Length:", ` ${n}`], REFUSED],
  ["a length behind a bare LF", (n) => [`Content-Length: ${n}`, "X-A: b\nContent-Length: 0"], REFUSED],
  ["a length behind a bare CR", (n) => ["X-A: b\rContent-Length: 0", `Content-Length: ${n}`], REFUSED],
  ["a length with white space behind its name", (n) => ["Content-Length : 0", `Content-Length: ${n}`], REFUSED],
  ["a length with an underscore", (n) => ["Content_Length: 0", `Content-Length: ${n}`], REFUSED],
  ["a length with a dot", (n) => ["Content.Length: 0", `Content-Length: ${n}`], REFUSED],
  ["a length that Connection names", (n) => ["Connection: Content-Length", `Content-Length: ${n}`]],
  ["a length that Connection names among others", (n) => [
    "Connection: keep-alive, content-length",
    "Connection: host",
    `Content-Length: ${n}`,
  ]],
] as [string, (length: number) => string[], number?][]).map(([what, lines, refused]) =>
  request(what, (rest) => lines(rest.length), alone, refused)
);

/** 1000 bytes for those who read "01000" as decimal, 512 for those to whom the zero means octal. */
const OCTAL = request(
  "a length with a leading zero",
  () => ["Content-Length: 01000"],
  (inside) => ("a".repeat(512) + inside).padEnd(1000, "a"),
);

/** CL.0: bodies where some look for none. */
const CL_0: readonly Smuggler[] = [
  ...["GET", "HEAD", "OPTIONS", "DELETE", "get", "Options"].map((method) =>
    request(`CL.0: ${method}`, (rest) => [all(rest)], alone, undefined, `${method} /attack HTTP/1.1`)
  ),
  ...["GET", "HEAD", "DELETE"].map((method) =>
    request(
      `CL.0: ${method} in chunks`,
      () => ["Transfer-Encoding: chunked"],
      inChunk,
      undefined,
      `${method} /attack HTTP/1.1`,
    )
  ),
  request(
    "CL.0: GET of HTTP/1.0",
    (rest) => [all(rest), "Connection: keep-alive"],
    alone,
    undefined,
    "GET /attack HTTP/1.0",
  ),
  request("CL.0: TRACE", (rest) => [all(rest)], alone, REFUSED, "TRACE /attack HTTP/1.1"),
  request("CL.0: trace in chunks", () => ["Transfer-Encoding: chunked"], inChunk, REFUSED, "trace /attack HTTP/1.1"),
  request("CL.0: CONNECT", (rest) => [all(rest)], alone, 501, "CONNECT /attack HTTP/1.1"),
  request("CL.0: connect", (rest) => [all(rest)], alone, 501, "connect /attack HTTP/1.1"),
];

/** 0.CL and its kin: a body that waits for 100 Continue, or does not. */
const EXPECT: readonly Smuggler[] = ([
  ["100-continue"],
  ["100-Continue"],
  [" \t100-continue "],
  ["y 100-continue", 417],
  ["100-continuey", 417],
  ["100-continue, 100-continue", 417],
  ["100-continue;a=b", 417],
  ["", 417],
  ["\x0b100-continue", REFUSED],
] as [string, number?][]).flatMap(([value, refused]) => [
  request(`Expect: ${value}`, (rest) => [`Expect: ${value}`, all(rest)], alone, refused),
]).concat([
  request("Expect twice", (rest) => ["Expect: 100-continue", "Expect: 100-continue", all(rest)], alone, 417),
  request("Expect in chunks", () => ["Expect: 100-continue", "Transfer-Encoding: chunked"], inChunk),
  request("Expect with GET", (rest) => ["Expect: 100-continue", all(rest)], alone, undefined, "GET /attack HTTP/1.1"),
  request("Expect that Connection names", (rest) => ["Connection: Expect", "Expect: 100-continue", all(rest)], alone),
  request(
    "Expect of HTTP/1.0",
    (rest) => ["Expect: 100-continue", all(rest)],
    alone,
    undefined,
    "POST /attack HTTP/1.0",
  ),
]);

/** TE.0: chunks for services that know none. */
const TE_0: readonly Smuggler[] = [
  request("TE.0: a request in a chunk", () => ["Transfer-Encoding: chunked"], inChunk),
  request(
    "TE.0: a request in the second chunk",
    () => ["Transfer-Encoding: chunked"],
    (inside) => `2\r\n\r\n\r\n${inChunk(inside)}`,
  ),
  request(
    "TE.0: Connection names chunks",
    () => ["Connection: Transfer-Encoding", "Transfer-Encoding: chunked"],
    inChunk,
  ),
  request(
    "TE.0: with a trailer",
    () => ["Transfer-Encoding: chunked"],
    (inside) => `${sizeOf(inside)}\r\n${inside}\r\n0\r\nX-A: b\r\n\r\n`,
  ),
  request(
    "TE.0: behind an extension",
    () => ["Transfer-Encoding: chunked"],
    (inside) => `${sizeOf(inside)};a="b c"\r\n${inside}\r\n0\r\n\r\n`,
  ),
  request("TE.0: of HTTP/1.0", () => ["Transfer-Encoding: chunked"], inChunk, REFUSED, "POST /attack HTTP/1.0"),
  request("TE.0: of HTTP/1.2", () => ["Transfer-Encoding: chunked"], inChunk, 505, "POST /attack HTTP/1.2"),
  request("TE.0: of HTTP/2.0", () => ["Transfer-Encoding: chunked"], inChunk, 505, "POST /attack HTTP/2.0"),
  request("TE.0: of http/1.1", () => ["Transfer-Encoding: chunked"], inChunk, REFUSED, "POST /attack http/1.1"),
];

/**
 * A chunk whose size line ends at `end` for some and at the CRLF behind it for others: to the others `inside` is data, to the first
 * it stands behind the last chunk.
 */
function twoEnds(end: string, extension = ""): Rest {
  return (inside) => {
    const tail = `\r\n0\r\n\r\n${inside}`;
    const data = `abc${tail}`;
    return `${sizeOf(data)};${extension}${end}${"x".repeat(tail.length - 2)}\r\n${data}\r\n0\r\n\r\n`;
  };
}

/** Chunks that end elsewhere. */
const CHUNKS: readonly Smuggler[] = ([
  ["TERM.EXT: an extension behind a bare LF", twoEnds("\n")],
  ["TERM.EXT: an extension with a bare LF", twoEnds("\n", "a=b")],
  ["TERM.EXT: an extension with a bare CR", twoEnds("\r", "a=b")],
  ["TERM.EXT: an extension with LF CR", twoEnds("\n\r", 'a="')],
  ["EXT.TERM: the last size behind a bare LF", (inside) => `0\n\r\n${inside}`],
  ["EXT.TERM: the last chunk behind a bare LF", (inside) => `0\r\n\n${inside}`],
  ["EXT.TERM: the last size with a bare CR", (inside) => `0\r\r\n\r\n${inside}`],
  ["a bare LF behind the data", (inside) => `3\r\nabc\n0\r\n\r\n${inside}`],
  ["a bare CR behind the data", (inside) => `3\r\nabc\r0\r\n\r\n${inside}`],
  ["nothing behind the data", (inside) => `3\r\nabc0\r\n0\r\n\r\n${inside}`],
  ["one byte behind the data", (inside) => `3\r\nabcX0\r\n0\r\n\r\n${inside}`],
  ["two bytes behind the data", (inside) => `3\r\nabcXX0\r\n0\r\n\r\n${inside}`],
  ["more data than the size", (inside) => `3\r\nabcdef\r\n0\r\n\r\n${inside}`],
  ["a size of 0x3", (inside) => `0x3\r\nabc\r\n0\r\n\r\n${inside}`],
  ["a last size of 0x0", (inside) => `0x0\r\n\r\n${inside}`],
  ["a size of +3", (inside) => `+3\r\nabc\r\n0\r\n\r\n${inside}`],
  ["a size of -0", (inside) => `-0\r\n\r\n${inside}`],
  ["a size of -1", (inside) => `-1\r\nX\r\n0\r\n\r\n${inside}`],
  ["a size of 0_3", (inside) => `0_3\r\nabc\r\n0\r\n\r\n${inside}`],
  ["a size of 3.0", (inside) => `3.0\r\nabc\r\n0\r\n\r\n${inside}`],
  ["a size of 3g", (inside) => `3g\r\nabc\r\n0\r\n\r\n${inside}`],
  ["a size of 2^64", (inside) => `10000000000000000\r\n\r\n${inside}`],
  ["a size of 2^64 and 3", (inside) => `10000000000000003\r\nabc\r\n0\r\n\r\n${inside}`],
  ["a size of 2^32 zeros", (inside) => `${"0".repeat(40)}\r\n\r\n${inside}`],
  ["a size of 17 digits", (inside) => `00000000000000003\r\nabc\r\n0\r\n\r\n${inside}`],
  ["a space before the size", (inside) => ` 0\r\n\r\n${inside}`],
  ["a tab before the size", (inside) => `\t0\r\n\r\n${inside}`],
  ["a space behind the size", (inside) => `0 \r\n\r\n${inside}`],
  ["a tab behind the size", (inside) => `0\t\r\n\r\n${inside}`],
  ["a space inside the size", (inside) => `0 3\r\n\r\n${inside}`],
  ["a NUL behind the size", (inside) => `0\0\r\n\r\n${inside}`],
  ["a comma behind the size", (inside) => `0,3\r\n\r\n${inside}`],
  ["an extension with a NUL", (inside) => `0;a=\0b\r\n\r\n${inside}`],
  ["an empty size", (inside) => `\r\n\r\n${inside}`],
  ["a trailer with a bare CR", (inside) => `0\r\nX-A: b\r\r\n\r\n${inside}`],
  ["a trailer with a bare LF", (inside) => `0\r\nX-A: b\n\n${inside}`],
  ["a trailer with a NUL", (inside) => `0\r\nX-A: \0\r\n\r\n${inside}`],
  ["a trailer without a colon", (inside) => `0\r\nX-A\r\n\r\n${inside}`],
  ["a folded trailer", (inside) => `0\r\nX-A: b\r\n c\r\n\r\n${inside}`],
  ["a trailer with white space before its colon", (inside) => `0\r\nContent-Length : 5\r\n\r\n${inside}`],
] as [string, Rest][]).map(([what, rest]) =>
  request(`chunk: ${what}`, () => ["Transfer-Encoding: chunked"], rest, REFUSED)
);

/** Trailers that would frame or route, which go no further; what stands behind them is a request of its own, and refused as such. */
const TRAILERS: readonly Smuggler[] = [
  "Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Host: nowhere.example",
  "Content_Length: 5",
]
  .map((line) =>
    request(`trailer: ${line}`, () => ["Transfer-Encoding: chunked"], (inside) => `0\r\n${line}\r\n\r\n${inside}`)
  );

/** Lines that end elsewhere, and what stands for an end of the head. */
const LINES: readonly Smuggler[] = ([
  ["two bare LFs in a value", (id, inside) => head("GET /attack HTTP/1.1", `Host: ${id}`, `X-A: b\n\n${inside}`)],
  ["LF CR LF in a value", (id, inside) => head("GET /attack HTTP/1.1", `Host: ${id}`, `X-A: b\n\r\n${inside}`)],
  ["two bare CRs in a value", (id, inside) => head("GET /attack HTTP/1.1", `Host: ${id}`, `X-A: b\r\r${inside}`)],
  ["CRLF CR in the head", (id, inside) => head("GET /attack HTTP/1.1", `Host: ${id}`, `X-A: b\r\n\r${inside}`)],
  ["CRLF LF in the head", (id, inside) => head("GET /attack HTTP/1.1", `Host: ${id}`, `X-A: b\r\n\n${inside}`)],
  ["an empty name", (id, inside) => head("POST /attack HTTP/1.1", `Host: ${id}`, ": b", "Content-Length: 0") + inside],
  ["bare LFs everywhere", (id, inside) => `GET /attack HTTP/1.1\nHost: ${id}\n\n${inside}`],
  ["bare CRs everywhere", (id, inside) => `GET /attack HTTP/1.1\rHost: ${id}\r\r${inside}`],
  ["a bare LF behind the request line", (id, inside) => `GET /attack HTTP/1.1\n${head(`Host: ${id}`)}${inside}`],
  [
    "a bare CR in the target",
    (id, inside) => head(`GET /attack\rHost:${id}\r\r${inside.trimEnd()} HTTP/1.1`, `Host: ${id}`),
  ],
  [
    "a bare LF in the target",
    (id, inside) => head(`GET /attack\nHost:${id}\n\n${inside.trimEnd()} HTTP/1.1`, `Host: ${id}`),
  ],
  ["two spaces before the target", (id, inside) => head("GET  /attack HTTP/1.1", `Host: ${id}`) + inside],
  ["two spaces before the version", (id, inside) => head("GET /attack  HTTP/1.1", `Host: ${id}`) + inside],
  ["tabs in the request line", (id, inside) => head("GET\t/attack\tHTTP/1.1", `Host: ${id}`) + inside],
  ["a space behind the version", (id, inside) => head("GET /attack HTTP/1.1 ", `Host: ${id}`) + inside],
  ["HTTP/0.9", (_id, inside) => `GET /attack\r\n${inside}`],
  ["a URL of HTTP/0.9", (id, inside) => `GET http://${id}/attack\r\n${inside}`],
  ["a request as the fragment of the target", (id, inside) => head("GET /attack#a HTTP/1.1", `Host: ${id}`) + inside],
  ["two hosts", (id, inside) => head("GET /attack HTTP/1.1", `Host: ${id}`, "Host: nowhere.example") + inside],
  ["a user in the URL", (id, inside) => head(`GET http://a@${id}/attack HTTP/1.1`, `Host: ${id}`) + inside],
  [
    "another host in the URL",
    (id, inside) => head("GET http://nowhere.example/attack HTTP/1.1", `Host: ${id}`) + inside,
  ],
] as [string, Smuggler["bytes"]][]).map(([what, bytes]) => smuggler(`lines: ${what}`, bytes, REFUSED));

/** Behind a switch of protocols that the service declines, or does not know: what follows is read as requests all the same. */
const UPGRADES: readonly Smuggler[] = ([
  ["a version of WebSocket that nobody speaks", [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 777",
  ]],
  ["WebSocket without a key", ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]],
  ["h2c", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]],
  ["h2c without settings", ["Connection: Upgrade", "Upgrade: h2c"]],
  ["TLS", ["Connection: Upgrade", "Upgrade: TLS/1.2, HTTP/1.1"]],
  ["Upgrade that Connection does not name", ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]],
  ["Connection: Upgrade alone", ["Connection: Upgrade"]],
  ["an upgrade with a length of nothing", ["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 0"]],
] as [string, string[]][]).map(([what, lines]) =>
  request(`upgrade: ${what}`, () => lines, alone, undefined, "GET /attack HTTP/1.1")
);

/** Pairs of requests: each of these, and an ordinary one behind it. */
export const SMUGGLERS: readonly Smuggler[] = [
  ...CL_TE,
  ...TE_CL,
  ...LENGTHS,
  ...CL_CL,
  OCTAL,
  ...CL_0,
  ...EXPECT,
  ...TE_0,
  ...CHUNKS,
  ...TRAILERS,
  ...LINES,
  ...UPGRADES,
];

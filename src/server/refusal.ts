/** Why a request is not answered by its service. */
export interface Refusal {
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  /** One sentence that says whose problem it is. */
  readonly message: string;
  /** Seconds. */
  readonly retryAfter?: number;
  /** Values of WWW-Authenticate. */
  readonly challenges?: readonly string[];
}

/** The refusals that do not depend on what the caller sent. Status codes: RFC 9110, section 15. */
export const refusals = {
  registrationUnknown: {
    status: 404,
    code: "registration-unknown",
    message: "The host name of this request names no registration: check the address.",
  },
  callerNotAllowed: {
    status: 403,
    code: "caller-not-allowed",
    message: "Requests from the caller's address are not allowed here.",
  },
  certificateMissing: {
    status: 403,
    code: "certificate-missing",
    message: "A client certificate is wanted here, on a connection with TLS, and the caller has shown none.",
  },
  certificateRefused: {
    status: 403,
    code: "certificate-refused",
    message: "The caller's client certificate is not one of those that are let in here, or is not in force.",
  },
  credentialsMissing: {
    status: 401,
    code: "credentials-missing",
    message: "The request has to show credentials of the kind that WWW-Authenticate names.",
  },
  credentialsWrong: {
    status: 401,
    code: "credentials-wrong",
    message: "The credentials of the request are not, or no longer, good here.",
  },
  credentialsAmbiguous: {
    status: 400,
    code: "credentials-ambiguous",
    message: "The request shows credentials more than once.",
  },
  tooManyFailures: {
    status: 429,
    code: "credentials-throttled",
    message: "Too many wrong passwords came from the caller's address: it has to wait before it sends another.",
  },
  accessRevoked: {
    status: 403,
    code: "access-revoked",
    message: "What the request was let in by was taken back before the service had answered.",
  },
  tunnelAway: {
    status: 503,
    code: "tunnel-away",
    message: "The client on the customer's side is not connected at the moment: the request can be sent again later.",
    retryAfter: 5,
  },
  tunnelLost: {
    status: 503,
    code: "tunnel-lost",
    message: "The connection to the client on the customer's side was lost before the service answered.",
    retryAfter: 5,
  },
  tunnelBusy: {
    status: 503,
    code: "tunnel-busy",
    message: "This registration has as many requests in progress as it may have: the request can be sent again later.",
    retryAfter: 1,
  },
  serviceRefused: {
    status: 502,
    code: "service-refused",
    message: "The client on the customer's side is connected, but its service does not accept connections.",
  },
  serviceClosed: {
    status: 502,
    code: "service-closed",
    message: "The service on the customer's side closed its connection before it answered.",
  },
  serviceInvalid: {
    status: 502,
    code: "service-invalid",
    message: "The service on the customer's side sent an answer that is not valid HTTP.",
  },
  serviceSilent: {
    status: 504,
    code: "service-silent",
    message: "The service on the customer's side took the request but did not answer in time.",
  },
  openTimeout: {
    status: 504,
    code: "open-timeout",
    message: "The client on the customer's side did not reach its service in time.",
  },
  connectMethod: {
    status: 501,
    code: "method-unsupported",
    message: "CONNECT is not supported: requests go to the registration that the host name names.",
  },
  headTooLarge: {
    status: 431,
    code: "head-too-large",
    message: "The head of the caller's request is larger than this server allows.",
  },
  headTooSlow: {
    status: 408,
    code: "head-too-slow",
    message: "The caller did not send the head of its request in time.",
  },
  bodyTooLarge: {
    status: 413,
    code: "body-too-large",
    message: "The body of the caller's request is larger than this server allows.",
  },
  requestTooLong: {
    status: 504,
    code: "request-timeout",
    message: "The request took longer altogether than this server allows.",
  },
  answerStalled: {
    status: 504,
    code: "answer-stalled",
    message: "The answer of the service made no progress for longer than this server allows.",
  },
  serverBusy: {
    status: 503,
    code: "server-busy",
    message: "This server has as many connections of callers as it may have: the request can be sent again later.",
    retryAfter: 5,
  },
  bodyTooSlow: {
    status: 408,
    code: "body-too-slow",
    message: "The caller stopped sending the body of its request.",
  },
} as const satisfies Record<string, Refusal>;

const REASONS: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  413: "Content Too Large",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/**
 * The answer that carries a refusal. `"g2c":"unavailable"` is what 0.6.x callers look for. `request` is its id, by which the
 * operator finds it in the log.
 */
export function refusalBytes(
  refusal: Refusal,
  options: { close: boolean; withoutBody: boolean; request: string },
): Buffer {
  const { status, code, message, retryAfter, challenges = [] } = refusal;
  const { request } = options;
  const body = `${JSON.stringify({ g2c: "unavailable", code, message, request })}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    `Date: ${new Date().toUTCString()}`,
    "Content-Type: application/json",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    `X-Request-Id: ${request}`,
    ...challenges.map((challenge) => `WWW-Authenticate: ${challenge}`),
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    ...(options.close ? ["Connection: close"] : []),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${options.withoutBody ? "" : body}`, "utf8");
}

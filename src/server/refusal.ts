import type { Refusal } from "../http/refusal_bytes.ts";

export { type Refusal, refusalBytes } from "../http/refusal_bytes.ts";

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
  paused: {
    status: 503,
    code: "paused",
    message: "The customer has paused access to this service.",
  },
  notAllowed: {
    status: 503,
    code: "service-not-allowed",
    message: "The customer's side does not allow access to this service.",
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

/** What keeps a request from its service; anything else is the service's own refusal. */
const NOT_REACHED: Readonly<Record<string, Refusal>> = {
  "paused": refusals.paused,
  "service-not-allowed": refusals.notAllowed,
  "tunnel-away": refusals.tunnelAway,
  "tunnel-lost": refusals.tunnelLost,
  "tunnel-busy": refusals.tunnelBusy,
  "open-timeout": refusals.openTimeout,
};

/** @param code why a request did not get as far as its service */
export function refusalOf(code: string): Refusal {
  return NOT_REACHED[code] ?? refusals.serviceRefused;
}

/** RFC 3986, section 3.3, without ";": what is behind one belongs to the path for some readers, and not for others. */
const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/;

/** Escapes that nobody needs (RFC 3986, section 2.4) or that may turn into a part of the path's structure. */
const NEEDLESS_OR_STRUCTURE = /[A-Za-z0-9\-._~/\\%;?#\0-\x1f\x7f]/;

/** What some readers turn other characters into, such as the full-width solidus. */
const STRUCTURE = /[./\\%;?#]/;

/** Characters that some readers leave out. */
const INVISIBLE = /\p{C}/u;

/**
 * The path of a request target in its one form, with escapes in capital letters, where all readers understand the same by it. Undefined
 * where one of them may see another path in it than the next: dot segments, empty segments, parameters (";"), backslashes, escapes of
 * what need not be escaped or of "/", "\", "%", ";", "?" and "#", escapes that are no UTF-8, what is not ASCII, a URL, a fragment.
 */
export function plainPath(target: string): string | undefined {
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  if (!PATH.test(path) || target.includes("#")) return undefined;
  const segments = path.slice(1).split("/");
  // Only the last segment may be empty: "/api/".
  if (segments.some((segment, index) => isUnclear(segment, index === segments.length - 1))) return undefined;
  return path.replace(/%../g, (escape) => escape.toUpperCase());
}

function isUnclear(segment: string, last: boolean): boolean {
  if (segment === "") return !last;
  const escaped = segment.match(/(?:%..)+/g);
  let text = segment;
  if (escaped !== null) {
    try {
      const decoded = escaped.map((escapes) => decodeURIComponent(escapes)).join("");
      if (NEEDLESS_OR_STRUCTURE.test(decoded) || INVISIBLE.test(decoded)) return true;
      if (STRUCTURE.test(decoded.normalize("NFKC"))) return true;
      text = decodeURIComponent(segment).normalize("NFKC");
    } catch {
      return true;
    }
  }
  // Windows leaves out dots and blanks at the end of a name.
  return /^[. ]+$/.test(text);
}

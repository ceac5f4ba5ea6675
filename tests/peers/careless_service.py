"""Services as people write them; run as a program, on the port that is the argument. Each prints a line for every request that it believes to have
got, and answers with the same line."""
import sys


def seen(method, target):
    line = f"seen {method} {target}\n"
    sys.stderr.write(line)
    sys.stderr.flush()
    return line.encode("latin-1", "replace")


def app(environ, start_response):
    """For WSGI servers; reads bodies."""
    environ["wsgi.input"].read()
    line = seen(environ["REQUEST_METHOD"], environ.get("RAW_URI") or environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", str(len(line))), ("Content-Type", "text/plain")])
    return [line]


def http_server(port):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        # With this line, which many copy, the connection goes on behind an answer. Chunks are unknown to it all the same.
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self):
            line = seen(self.command, self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(line)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(line)

        do_GET = do_HEAD = do_DELETE = do_OPTIONS = answer

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer()

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):
            # A traceback comes in pieces, and the lines of other threads between them.
            pass

    Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    http_server(int(sys.argv[1]))

// Node's server with its lenient parser, on the port that is the argument; see careless_service.py.
import { createServer } from "node:http";
import process from "node:process";

createServer({ insecureHTTPParser: true }, (request, response) => {
  request.resume().on("end", () => {
    const line = `seen ${request.method} ${request.url}\n`;
    process.stderr.write(line);
    response.end(line);
  });
}).listen(Number(process.argv[2]), "127.0.0.1");

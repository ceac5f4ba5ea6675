// A flood: flooder.ts PORT COUNT SOURCES BEGINNING opens so many connections from as many addresses 127.0.1.x. A third of them says nothing, a third
// sends BEGINNING (base64), and a third sends it byte by byte, one a second. It tells on standard error, in JSON, how many have been
// opened and how many were ended by the other side, and stays until it is ended.
import { connect } from "node:net";
import process from "node:process";

const [port = 0, count = 0, sources = 1] = process.argv.slice(2, 5).map(Number);
const beginning = Buffer.from(process.argv[5] ?? "", "base64");

/** Connections begun in one turn, and milliseconds between two turns: 5,000 a second, so that there is time for others on two cores. */
const AT_ONCE = 50;
const EVERY = 10;

let begun = 0;
const told = { opened: 0, ended: 0 };

const begin = setInterval(() => {
  for (let i = 0; i < AT_ONCE && begun < count; i++) open(begun++);
  if (begun >= count) clearInterval(begin);
}, EVERY);
setInterval(() => process.stderr.write(`${JSON.stringify(told)}\n`), 100);

function open(number: number): void {
  const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.1.${1 + number % sources}` });
  socket.resume();
  // Being reset is what it has to expect.
  socket.on("error", () => {});
  let dripping: NodeJS.Timeout | undefined;
  let connected = false;
  socket.on("close", () => {
    // One that is reset at once may never be seen to be open.
    if (!connected) told.opened++;
    told.ended++;
    clearInterval(dripping);
  });
  socket.on("connect", () => {
    connected = true;
    told.opened++;
    if (number % 3 === 1) socket.write(beginning);
    if (number % 3 !== 2) return;
    let sent = 0;
    dripping = setInterval(() => {
      if (sent < beginning.length) socket.write(beginning.subarray(sent, ++sent));
    }, 1000);
  });
}

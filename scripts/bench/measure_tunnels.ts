import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { wrongAnswer } from "./check_answers.ts";
import { type Contender, NAMES, startContenders } from "./contenders.ts";
import { makeFiles } from "./files.ts";
import { LATENCY_RATE, measureLatency } from "./measure_latency.ts";
import { measureDownload, measureUpload } from "./measure_transfer.ts";
import { measureWrk } from "./measure_wrk.ts";
import { type APART, isApart, type Options, type Part } from "./options.ts";
import { memoryOf } from "./proc.ts";
import type { Programs } from "./programs.ts";
import type { CarrierMemory, Row } from "./results.ts";
import { measureInRounds, type Sample, type Samples, seriesOf } from "./rounds.ts";
import { say } from "./say.ts";

/** Seconds of wrk that don't count, at most, for each contender. */
const WARM_UP = 2;

/** One thing that is measured, and the rows that come of it. */
interface Measurement {
  readonly title: string;
  readonly measure: (contender: Contender) => Promise<Sample>;
  readonly rows: (samples: Samples) => Row[];
}

/** Compares the ways to the service. What goes wrong is added to `failures`. */
export async function measureTunnels(
  programs: Programs,
  executable: string,
  folder: string,
  options: Options,
  failures: string[],
): Promise<{ rows: Row[]; memory: CarrierMemory[] }> {
  say("making files, starting the service and the ways to it …");
  const files = makeFiles(join(folder, "files"), options.largeFile);
  const { contenders, carriers, stop } = await startContenders(programs, executable, folder, files);
  try {
    await sleep(1000);
    const idle = carriers.map(({ pids }) => memoryOf(pids()));

    const { small: { name, content }, large: { size } } = files;
    const wrk = (connections: number, close: boolean, seconds = options.wrkSeconds) => (contender: Contender) =>
      measureWrk(contender, { wrk: programs.wrk, connections, seconds, close, path: `/${name}`, size: content.length });
    const large = size === 1024 ** 3 ? "1 GiB" : `${size / 1024 ** 2} MiB`;
    const added = (part: string) => `${LATENCY_RATE} requests/s, added latency, ${part}`;
    const measurements: Record<Exclude<Part, typeof APART[number]>, Measurement> = {
      keepalive: {
        title: "1 KiB, 32 keep-alive connections",
        measure: wrk(32, false),
        rows: (samples) => [
          row("keepalive", "1 KiB, 32 keep-alive connections", "requests/s", samples, "rate"),
          row("keepalivePublicCpu", "  CPU time for 1,000 of them, server (sshd)", "s", samples, "publicCpu"),
          row("keepalivePrivateCpu", "  CPU time for 1,000 of them, client (ssh)", "s", samples, "privateCpu"),
        ],
      },
      new: {
        title: "1 KiB, 16 connections, a new one for each request",
        measure: wrk(16, true),
        rows: (samples) => [row("new", "1 KiB, a new connection for each request (16)", "requests/s", samples, "rate")],
      },
      download: {
        title: `${large} download`,
        measure: (contender) => measureDownload(contender, files, programs.curl),
        rows: (samples) => [row("download", `${large} download`, "MB/s", samples, "rate")],
      },
      upload: {
        title: `${large} upload`,
        measure: (contender) => measureUpload(contender, files, programs.curl),
        rows: (samples) => [row("upload", `${large} upload`, "MB/s", samples, "rate")],
      },
      latency: {
        title: `${LATENCY_RATE} requests/s`,
        measure: (contender) => measureLatency(contender, `/${name}`, options.latencySeconds),
        rows: (samples) => [
          row("latencyP50", `${LATENCY_RATE} requests/s, latency, median`, "ms", samples, "p50"),
          row("latencyP99", `${LATENCY_RATE} requests/s, latency, 99 %`, "ms", samples, "p99"),
          row("addedP50", added("median"), "ms", samples, "p50", true),
          row("addedP99", added("99 %"), "ms", samples, "p99", true),
        ],
      },
    };

    for (const contender of contenders) {
      const wrong = await wrongAnswer(contender, files, programs.curl).catch((error: Error) => error.message);
      say(`answers of ${contender.name}: ${wrong ?? "right"}`);
      if (wrong !== undefined) failures.push(`${contender.name}, answers: ${wrong}`);
    }
    // Nobody is measured who answers wrongly.
    if (failures.length > 0) return { rows: [], memory: [] };
    for (const close of [false, true]) {
      for (const contender of contenders) {
        await wrk(32, close, Math.min(WARM_UP, options.wrkSeconds / 2))(contender).catch(() => undefined);
      }
    }

    const rows: Row[] = [];
    for (const part of options.parts) {
      if (isApart(part)) continue;
      const { title, measure, rows: rowsOf } = measurements[part];
      const samples = await measureInRounds(title, contenders, options.rounds, measure);
      rows.push(...rowsOf(samples));
      for (const name of NAMES) {
        for (const sample of samples[name]) {
          if (typeof sample === "string") failures.push(`${name}, ${title}: ${sample}`);
        }
      }
    }
    const memory = carriers.map(({ name, pids }, index) => ({
      name,
      idle: idle[index] ?? memoryOf([]),
      after: memoryOf(pids()),
    }));
    return { rows, memory };
  } finally {
    await stop();
  }
}

function row(key: string, title: string, unit: string, samples: Samples, figure: string, overDirect = false): Row {
  return { key, title, unit, series: seriesOf(samples, figure, overDirect) };
}

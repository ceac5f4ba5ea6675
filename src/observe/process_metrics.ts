import { readdirSync } from "node:fs";
import process from "node:process";
import prometheus, { type Registry } from "prom-client";

/**
 * Figures of the process, under the names that Prometheus gives them. Not the library's default figures: those keep a timer
 * of 10 ms going to measure the event loop, and half of them are made up under Bun.
 */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new prometheus.Counter({
    name: "process_cpu_seconds_total",
    help: "Processor time used, user and system",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new prometheus.Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new prometheus.Gauge({
    name: "process_start_time_seconds",
    help: "When the process was started, in seconds since 1970",
    registers,
  }).set(Date.now() / 1000 - process.uptime());
  if (process.platform !== "linux") return;
  new prometheus.Gauge({
    name: "process_open_fds",
    help: "Open files and sockets",
    registers,
    collect() {
      this.set(readdirSync("/proc/self/fd").length);
    },
  });
}

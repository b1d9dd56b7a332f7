/** Counts what the server does, in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */

type Labels = Readonly<Record<string, string>>;

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

interface Metric {
  lines(): string[];
}

/** A number that only grows, one for each set of labels. */
export class Counter implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(amount: number, labels: Labels = {}): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  lines(): string[] {
    const rows = [...this.#values].map(([labels, value]) => `${this.#name}${labels} ${value}`);
    return [...head(this.#name, this.#help, "counter"), ...rows];
  }
}

/** A number as it is now. */
export class Gauge implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #value: number;

  constructor(name: string, help: string, value: number) {
    this.#name = name;
    this.#help = help;
    this.#value = value;
  }

  lines(): string[] {
    return [...head(this.#name, this.#help, "gauge"), `${this.#name} ${this.#value}`];
  }
}

/** How many of the observed numbers are at most each bound. */
export class Histogram implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();

  /** @param bounds rising; the last bucket, +Inf, comes by itself. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  observe(value: number, labels: Labels = {}): void {
    const key = labelText(labels);
    const series = this.#series.get(key) ?? { labels, counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
    this.#series.set(key, series);
    this.#bounds.forEach((bound, i) => {
      if (value <= bound) series.counts[i]!++;
    });
    series.sum += value;
    series.count++;
  }

  lines(): string[] {
    const rows = [...this.#series].flatMap(([text, { labels, counts, sum, count }]) => [
      ...this.#bounds.map(
        (bound, i) => `${this.#name}_bucket${labelText({ ...labels, le: String(bound) })} ${counts[i]}`,
      ),
      `${this.#name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`,
      `${this.#name}_sum${text} ${sum}`,
      `${this.#name}_count${text} ${count}`,
    ]);
    return [...head(this.#name, this.#help, "histogram"), ...rows];
  }
}

/** The page that Prometheus reads. */
export function metricsPage(metrics: readonly Metric[]): string {
  return `${metrics.flatMap((metric) => metric.lines()).join("\n")}\n`;
}

function head(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

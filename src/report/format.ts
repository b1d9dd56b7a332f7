/** How the report writes numbers: one place, so that console, Markdown, page and sentences agree. */

/** Shown where the summary holds no finite number (JSON has none for NaN and infinity). */
export const MISSING = "–";

/** `value` with `digits` decimals, never `-0.0`; `MISSING` when it is not a finite number. */
export function decimal(value: number | null | undefined, digits: number): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return MISSING;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/** As `decimal`, with a true minus sign: for numbers that stand in text or beside signed ones, `0.67` and `−0.39`. */
export function withMinus(value: number | null | undefined, digits = 2): string {
  return decimal(value, digits).replace(/^-/, "−");
}

/** A reward in [0, 1] on the 0 to 100 scale of the tables, one decimal. */
export function rewardPoints(value: number | null | undefined): string {
  return decimal(typeof value === "number" ? value * 100 : value, 1);
}

/** BLEU, chrF and differences of points: one decimal. */
export function points(value: number | null | undefined): string {
  return decimal(value, 1);
}

/** A difference with its sign: `+1.2`, `−0.4`, `0.0`. */
export function signed(value: number, digits = 1): string {
  const text = decimal(value, digits);
  if (text === MISSING || Number(text) === 0) return text;
  return text.startsWith("-") ? `−${text.slice(1)}` : `+${text}`;
}

/** A share in [0, 1] as a percentage: whole from 10 % up, one decimal below, so that 0.4 % does not read as 0 %. */
export function percent(share: number | undefined): string {
  if (typeof share !== "number" || !Number.isFinite(share)) return MISSING;
  const hundred = share * 100;
  const digits = hundred === 0 || Math.abs(hundred) >= 9.95 ? 0 : 1;
  return `${decimal(hundred, digits)} %`;
}

/** A whole number with thousands separated: `16,000`. */
export function count(value: number | undefined): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return MISSING;
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Seconds as a reader says them: `4.2 s`, `48 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(seconds: number | undefined): string {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return MISSING;
  if (seconds < 9.95) return `${decimal(seconds, 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** `1 step`, `3 steps`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** What BLEU and chrF are of: translations found by a beam of that width, 1 (greedy) where it is not known. */
export function translationsBy(beam = 1): string {
  return beam > 1 ? `translations by beam search (width ${count(beam)})` : "greedy translations";
}

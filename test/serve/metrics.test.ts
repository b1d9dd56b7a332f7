/** The page that Prometheus reads, against its format written out by hand. */

import { expect, test } from "vitest";
import { Counter, Gauge, Histogram, metricsPage } from "../../src/serve/metrics.js";

test("counters, gauges and histograms with labels, buckets that contain the ones before", () => {
  const requests = new Counter("requests_total", "Requests.");
  requests.add(1, { route: "/a", status: "200" });
  requests.add(2, { route: "/a", status: "200" });
  requests.add(1, { route: 'with "quotes"\\ and a\nbreak', status: "404" });
  const seconds = new Histogram("seconds", "Seconds.", [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value, { route: "/a" });
  expect(
    metricsPage([requests, new Gauge("waiting", "Waiting.", 3), seconds]),
  ).toBe(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="/a",status="200"} 3
requests_total{route="with \\"quotes\\"\\\\ and a\\nbreak",status="404"} 1
# HELP waiting Waiting.
# TYPE waiting gauge
waiting 3
# HELP seconds Seconds.
# TYPE seconds histogram
seconds_bucket{route="/a",le="0.1"} 2
seconds_bucket{route="/a",le="1"} 3
seconds_bucket{route="/a",le="+Inf"} 4
seconds_sum{route="/a"} 7.65
seconds_count{route="/a"} 4
`);
});

test("a metric without labels has none, and one that never happened no line", () => {
  const rows = new Histogram("rows", "Rows.", [2]);
  rows.observe(2);
  expect(metricsPage([rows, new Counter("none_total", "None.")])).toBe(
    '# HELP rows Rows.\n# TYPE rows histogram\nrows_bucket{le="2"} 1\nrows_bucket{le="+Inf"} 1\nrows_sum 2\nrows_count 1\n' +
      "# HELP none_total None.\n# TYPE none_total counter\n",
  );
});

/**
 * A reward that asks a server in the server's own words. One that takes `{"inputs": […]}` and answers `{"rewards": […]}`
 * needs no module: `reward: { kind: http, url: … }` asks it, tries again where it is busy, and keeps what it gave.
 *
 *     REWARD_URL=http://localhost:8080/score coppice run DIR
 *
 * with `reward: { kind: module, path: reward-http.mjs }` in the configuration. The server gets
 * `{"inputs": [{"source": …, "candidate": …, "reference": …}, …]}` and answers `{"scores": [0.7, …]}`, each from 0 to 1.
 */

export default {
  name: "http",

  /** True makes a source without a reference an error before anything is sent. */
  needsReference: false,

  async score(batch) {
    const url = process.env.REWARD_URL;
    if (!url) throw new Error("set REWARD_URL to the address of the server that scores");
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ inputs: batch }),
    });
    if (!response.ok) throw new Error(`${url} answered ${response.status} ${await response.text()}`);
    const { scores } = await response.json();
    return scores;
  },
};

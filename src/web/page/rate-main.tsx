import { render } from "preact";
import { RatePage } from "./rate.js";

render(
  <main>
    <RatePage />
  </main>,
  document.getElementById("app")!,
);

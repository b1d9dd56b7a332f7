/** The frame of every page: which run, which pages, and the page itself. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RunList } from "../protocol.js";
import { useAnswer } from "./api.js";
import { Empty, ErrorState, Loading } from "./components/states.js";
import { type Page, type PageProps, pages } from "./pages.js";
import { linkTo, usePlace } from "./router.js";

export function App() {
  const place = usePlace();
  const list = useAnswer<RunList>("/api/runs");
  const runs = list.state === "failed" ? [] : (list.data?.runs ?? []);
  const page = pages.find(({ path }) => path === place.page) ?? (place.page === "" ? pages[0] : undefined);
  const run = runs.length === 0 ? undefined : (place.query.get("run") ?? runs[0]!.name);
  useEffect(() => {
    document.title = [page?.title, run, "Coppice"].filter(Boolean).join(" · ");
  }, [page, run]);
  return (
    <>
      <button type="button" class="skip" onClick={toMain}>
        To the content
      </button>
      <header class="top">
        <p class="brand">Coppice</p>
        {runs.length > 1 && (
          <label class="run-choice">
            <span>Run</span>
            <select
              data-testid="run-choice"
              value={run}
              onChange={({ currentTarget }) => {
                location.hash = linkTo(page?.path ?? pages[0]!.path, { run: currentTarget.value });
              }}
            >
              {runs.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        {runs.length === 1 && <p class="run-name">{runs[0]!.name}</p>}
        <nav aria-label="Pages">
          {pages.map(({ path, title }) => (
            <a
              key={path}
              href={linkTo(path, { run: place.query.get("run") ?? undefined })}
              aria-current={path === page?.path ? "page" : undefined}
              data-testid={`nav-${path}`}
            >
              {title}
            </a>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {list.state === "failed" ? (
          <ErrorState error={list.error} again={list.again} />
        ) : list.data === undefined ? (
          <Loading />
        ) : page === undefined ? (
          <Empty title="There is no such page.">
            <p>Choose one above.</p>
          </Empty>
        ) : run === undefined ? (
          <NoRun title={page.title} again={list.reload} />
        ) : (
          <Loaded key={page.path} page={page} run={run} query={place.query} />
        )}
      </main>
    </>
  );
}

function NoRun({ title, again }: { title: string; again: () => void }) {
  return (
    <>
      <h1>{title}</h1>
      <Empty title="There is no run here yet.">
        <p>
          Make one with <code>coppice init DIR --pairs FILE</code> and start it with{" "}
          <code>coppice run DIR</code>, or try <code>coppice demo</code>.
        </p>
        <button type="button" onClick={again}>
          Look again
        </button>
      </Empty>
    </>
  );
}

function Loaded({ page, ...props }: PageProps & { page: Page }) {
  const [Content, setContent] = useState<ComponentType<PageProps>>();
  const [failed, setFailed] = useState(false);
  const load = () => {
    setFailed(false);
    // A function in a state setter would be called.
    page.load().then(
      ({ default: component }) => setContent(() => component),
      () => setFailed(true),
    );
  };
  // A page is loaded once; another page is another Loaded.
  useEffect(load, []);
  if (failed)
    return <ErrorState error="This page could not be loaded. Is coppice ui still running?" again={load} />;
  return Content ? <Content {...props} /> : <Loading />;
}

/** The address after `#` is the page's, so the jump is made by hand. */
function toMain(): void {
  document.getElementById("main")?.focus();
}

/** What is searched and filtered by; it stands in the address, so that a link leads to the same rows. */

import { setQuery } from "../router.js";

export interface FilterValues {
  search?: string;
  /** In [0, 1], as the server takes them. */
  minReward?: string;
  maxReward?: string;
  minCharacters?: string;
  maxCharacters?: string;
  origin?: string;
  finished?: string;
}

const KEYS = [
  "search",
  "minReward",
  "maxReward",
  "minCharacters",
  "maxCharacters",
  "origin",
  "finished",
] as const;

export function filtersOf(query: URLSearchParams): FilterValues {
  return Object.fromEntries(
    KEYS.flatMap((key) => {
      const value = query.get(key);
      return value === null || value === "" ? [] : [[key, value]];
    }),
  );
}

export function Filters({ filters }: { filters: FilterValues }) {
  return (
    <search>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label class="wide">
          Search
          <input
            type="search"
            maxLength={200}
            placeholder="words of a candidate or a source"
            value={filters.search ?? ""}
            data-testid="search"
            onInput={({ currentTarget }) => setQuery({ search: currentTarget.value || undefined })}
          />
        </label>
        <Points label="Reward from" name="minReward" value={filters.minReward} />
        <Points label="to" name="maxReward" value={filters.maxReward} />
        <Whole label="Characters from" name="minCharacters" value={filters.minCharacters} />
        <Whole label="to" name="maxCharacters" value={filters.maxCharacters} />
        <Choice
          label="Origin"
          name="origin"
          value={filters.origin}
          choices={[
            ["policy", "sampled"],
            ["human", "human"],
          ]}
        />
        <Choice
          label="Ending"
          name="finished"
          value={filters.finished}
          choices={[
            ["yes", "finished"],
            ["no", "cut"],
          ]}
        />
        <button
          type="button"
          onClick={() => setQuery(Object.fromEntries(KEYS.map((key) => [key, undefined])))}
          disabled={Object.keys(filters).length === 0}
        >
          Clear
        </button>
      </form>
    </search>
  );
}

interface FieldProps {
  label: string;
  name: (typeof KEYS)[number];
  value: string | undefined;
}

/** A reward, shown from 0 to 100. */
function Points({ label, name, value }: FieldProps) {
  return (
    <label>
      {label}
      <input
        type="number"
        min={0}
        max={100}
        step="any"
        data-testid={name}
        value={value === undefined ? "" : Number((100 * Number(value)).toFixed(4))}
        onChange={({ currentTarget }) => {
          const points = currentTarget.valueAsNumber;
          setQuery({ [name]: points >= 0 && points <= 100 ? points / 100 : undefined });
        }}
      />
    </label>
  );
}

function Whole({ label, name, value }: FieldProps) {
  return (
    <label>
      {label}
      <input
        type="number"
        min={0}
        step={1}
        data-testid={name}
        value={value ?? ""}
        onChange={({ currentTarget }) => {
          const whole = currentTarget.valueAsNumber;
          setQuery({ [name]: whole >= 0 ? Math.trunc(whole) : undefined });
        }}
      />
    </label>
  );
}

function Choice({
  label,
  name,
  value,
  choices,
}: FieldProps & { choices: readonly (readonly [string, string])[] }) {
  return (
    <label>
      {label}
      <select
        data-testid={name}
        value={value ?? ""}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value || undefined })}
      >
        <option value="">all</option>
        {choices.map(([key, word]) => (
          <option key={key} value={key}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}

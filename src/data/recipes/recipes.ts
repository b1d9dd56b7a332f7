/** All recipes, in the order in which they are listed. */

import { UserError } from "../../errors.js";
import { nearestName } from "../../nearest.js";
import type { Languages } from "../layouts/folder.js";
import { debianDescriptions, libreofficeHelp, transDeEn } from "./debian-recipes.js";
import { iwslt14, multi30k, tatoeba, wmt } from "./local.js";
import { npmMessages } from "./npm-messages.js";
import type { Recipe } from "./recipe.js";

export const recipes: readonly Recipe[] = [
  npmMessages,
  transDeEn,
  libreofficeHelp,
  debianDescriptions,
  iwslt14,
  wmt,
  multi30k,
  tatoeba,
];

/** Throws a UserError for a name that no recipe has. */
export function recipeNamed(name: string): Recipe {
  const found = recipes.find((recipe) => recipe.name === name);
  if (found) return found;
  const names = recipes.map((recipe) => recipe.name);
  const near = nearestName(name, names);
  throw new UserError(
    `there is no recipe ${JSON.stringify(name)}, expected one of ${names.join(", ")}.${near ? ` Did you mean ${near}?` : ""}`,
  );
}

/** The languages asked for, or the recipe's first. Throws a UserError for those that it cannot be built for. */
export function languagesFor(recipe: Recipe, asked: string | undefined): Languages {
  const { languages } = recipe;
  const text = asked ?? ("usual" in languages ? languages.usual : languages[0]) ?? "";
  const [, source, target] = /^([a-z]{2,3})-([a-z]{2,3})$/.exec(text) ?? [];
  if (!source || !target || source === target)
    throw new UserError(
      `${JSON.stringify(text)} is not a pair of languages, expected two codes such as de-en.`,
    );
  if (!("usual" in languages) && !languages.includes(text))
    throw new UserError(`the recipe ${recipe.name} has no ${text}, expected ${languages.join(" or ")}.`);
  return [source, target];
}

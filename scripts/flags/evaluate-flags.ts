// The flags of npm run evaluate.
import { existsSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { augmentations } from "../../src/data/images/image-views";
import { plainRecipe, type Recipe, recipeOf } from "../../src/experiments/compare-recipes";
import { evaluablePresets, presets } from "../../src/runtime/presets";
import { addBackboneFlags, type BackboneFlags } from "./backbone-flags";
import { addClassesFlags, addLabelsFlags, type ClassesFlags, type LabelsFlags } from "./labels-flags";

/** What `npm run evaluate` is told. */
export interface Flags extends LabelsFlags, ClassesFlags, BackboneFlags {
  data?: string;
  predictions?: string;
  magnification?: number;
  /** How many, or the folder of BreaKHis' fold files. */
  folds: number | string;
  repeats: number;
  auditSeeds: number;
  target: number[];
  seed: number;
  holdOut?: true;
  preset?: (typeof evaluablePresets)[number];
  stain?: Recipe["stain"];
  augmentation?: Recipe["augmentation"];
  averageViews?: true;
  ensemble: number;
  keepEnsemble?: string;
  compare?: true;
  out?: string;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

function foldsOrFolder(text: string): number | string {
  if (/^\d+$/.test(text)) return Number(text);
  if (existsSync(text)) return text;
  throw new InvalidArgumentError(
    "Expected a whole number, or the folder of BreaKHis' fold files, dsfold1.txt to dsfold5.txt.",
  );
}

function headCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("Expected a whole number of heads.");
  return Number(text);
}

function shares(text: string): number[] {
  const values = text.split(",").map(Number);
  if (!values.every((value) => value > 0 && value <= 1)) {
    throw new InvalidArgumentError("Expected shares above 0 and up to 1, for example 0.95,1.");
  }
  return values;
}

function addDataFlags(command: Command): Command {
  return command
    .option("--data <folder>", "folder of images")
    .option(
      "--predictions <csv>",
      "scores a table of probabilities or votes instead, as publications do: a column with the image's name, one for each class",
    )
    .option("--magnification <number>", "only images of this magnification", wholeNumber);
}

/** How the images are divided, and what is asked of triage. */
function addDivisionFlags(command: Command): Command {
  return command
    .option(
      "--folds <number or folder>",
      "folds by patient; or the folder of BreaKHis' own fold files, dsfold1.txt to dsfold5.txt",
      foldsOrFolder,
      5,
    )
    .option("--repeats <number>", "divisions into folds", wholeNumber, 1)
    .option(
      "--audit-seeds <number>",
      "splits of each kind in the leakage audit; 0 leaves it out",
      wholeNumber,
      10,
    )
    .option("--target <shares>", "sensitivities to keep in triage", shares, [0.95, 1])
    .option("--seed <number>", "decides folds, splits and first weights", wholeNumber, 1);
}

/** How images are treated before a head learns from them. */
function addRecipeFlags(command: Command): Command {
  return command
    .addOption(new Option("--preset <name>", "a recipe: see the README").choices(evaluablePresets))
    .addOption(
      new Option("--stain <how>", "normalised: to the stains of each training part (as-is)").choices([
        "as-is",
        "normalised",
      ]),
    )
    .addOption(
      new Option(
        "--augmentation <views>",
        "views to learn from too: features take 8, 4 or 11 times as long (none)",
      ).choices(augmentations),
    )
    .option("--average-views", "answer with the mean over those views")
    .addOption(
      new Option(
        "--ensemble <heads>",
        "answer with the mean of so many heads, each stopped by other patients",
      )
        .argParser(headCount)
        .default(1)
        .conflicts("holdOut"),
    )
    .addOption(
      new Option(
        "--keep-ensemble <folder>",
        "saves the heads of all folds as one classifier, for npm run predict, export and viewer",
      ).conflicts(["compare", "holdOut"]),
    )
    .addOption(
      new Option("--compare", "compare with images as they are, step by step, on the same folds").conflicts(
        "holdOut",
      ),
    );
}

export function readCommandLine(): Flags {
  const command = addClassesFlags(addLabelsFlags(addBackboneFlags(new Command("evaluate")))).description(
    "Cross-validates by patient, audits leakage and tabulates triage; prints tables.",
  );
  return addRecipeFlags(addDivisionFlags(addDataFlags(command)))
    .option("--hold-out", "one split by patient instead, for large data sets")
    .option("--out <file>", "writes all numbers as JSON")
    .parse()
    .opts<Flags>();
}

/** What is asked for: the preset's settings, and flags in place of some of them. */
export function recipeAsked(flags: Flags): Recipe {
  const { preset, stain, augmentation, averageViews, ensemble } = flags;
  const given = {
    ...(stain === undefined ? {} : { stain }),
    ...(augmentation === undefined ? {} : { augmentation }),
    ...(averageViews === undefined ? {} : { averageViews }),
    ...(ensemble > 1 ? { ensemble } : {}),
  };
  const named = preset === undefined ? {} : recipeOf(presets[preset]);
  return { ...plainRecipe, ...named, ...given };
}

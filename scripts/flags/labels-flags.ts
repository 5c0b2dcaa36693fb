import { type Command, InvalidArgumentError, Option } from "commander";
import { type ColumnNames, columnRoles } from "../../src/data/layouts/labels-columns";

/** What the programs say of a data set besides its folder, under the names of the settings. */
export interface LabelsFlags {
  labels?: string;
  columns?: ColumnNames;
}

/** What the programs that train or score say of its classes besides. */
export interface ClassesFlags {
  positiveClass?: string;
  classes?: "labels" | "subtype";
}

function readColumns(text: string): ColumnNames {
  const columns: ColumnNames = {};
  for (const pair of text.split(",")) {
    const [role = "", ...name] = pair.split("=");
    const known = columnRoles.find((one) => one === role.trim().toLowerCase());
    if (known === undefined || name.join("=").trim() === "") {
      throw new InvalidArgumentError(
        `Expected pairs such as image=path,label=class; before = stands one of ${columnRoles.join(", ")}.`,
      );
    }
    columns[known] = name.join("=").trim();
  }
  return columns;
}

/** Adds the flags that name a labels file and its columns. */
export function addLabelsFlags(command: Command): Command {
  return command
    .option("--labels <file>", "labels file (CSV) that says what the images are")
    .option(
      "--columns <pairs>",
      "its columns, where they are not called as usual: image=path,label=class,patient=case, also for slide, magnification, split and subtype",
      readColumns,
    );
}

/** Adds the flags that choose the classes. */
export function addClassesFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--classes <which>",
        "subtype: BreaKHis' eight subtypes, and what follows from them",
      ).choices(["labels", "subtype"]),
    )
    .option("--positive-class <name>", "the class that is looked for (malignant, IDC; else none)");
}

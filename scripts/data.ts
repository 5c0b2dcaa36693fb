// Gets a data set: npm run data -- original --magnification 400
import { isAbsolute, relative } from "node:path";
import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { describeFetched, fetchDataset } from "../src/data/fetch/fetch-dataset";
import { onProgress, type ProgressState } from "../src/runtime/progress";
import { interruptedExitCode, stopOnInterrupt } from "./ending";
import { addLabelsFlags, type LabelsFlags } from "./flags/labels-flags";
import { complain, say } from "./say";

interface Flags extends LabelsFlags {
  magnification?: number;
  mirror?: string;
  into?: string;
  archive?: string;
  sha256?: string;
  most?: number;
  leastRate?: number;
}

function magnificationNumber(text: string): number {
  if (!/^(?:40|100|200|400)x?$/i.test(text)) throw new InvalidArgumentError("Expected 40, 100, 200 or 400.");
  return Number.parseInt(text, 10);
}

function webAddress(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError("Expected an address that begins with http:// or https://.");
  }
  return text;
}

function positiveNumber(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError("Expected a number above 0.");
  return Number(text);
}

function checksum(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError("Expected 64 hexadecimal digits.");
  return text.toLowerCase();
}

const sources = `
Sources:
  perceptilabs  BreaKHis 400× with its published split, from GitHub
  kaggle        BreaKHis 400× from Kaggle (forderation/breakhis-400x), with your token if Kaggle asks for one:
                KAGGLE_API_TOKEN, KAGGLE_USERNAME and KAGGLE_KEY, or ~/.kaggle/kaggle.json
  original      the authors' archive with all magnifications
  <archive>     a .zip, .tar.gz or .tar file of yours
  <folder>      a folder of yours: checked, and used where it is
  <labels file> a CSV of yours that names images and their classes, wherever they lie: checked, and used where it is;
                or a folder with --labels. Columns are found by their usual names (image, file, path, id …; label,
                class, target, diagnosis …; patient, slide, magnification, split, subtype); --columns names others.
                What is not found, doubled or contradicts a folder is named with its line. See data/README.md.

A broken connection is taken up again by itself. With --archive the next call also goes on where a stopped or killed
one was; the disk then holds the archive too. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured.`;

function readCommandLine(): { source: string; flags: Flags } {
  const program = addLabelsFlags(new Command("npm run data --"))
    .description("Gets a data set, whole and checked, or nothing.")
    .argument("<source>", "see below")
    .option(
      "--magnification <number>",
      "only images of this magnification: 40, 100, 200 or 400",
      magnificationNumber,
    )
    .option("--mirror <address>", "another address of the same archive", webAddress)
    .option("--into <folder>", "where to put it (data/<source>)")
    .option("--archive <file>", "fetch the archive into this file first, and keep it")
    .option("--sha256 <digits>", "the archive's checksum, if you know it", checksum)
    .option("--most <gigabytes>", "the most that a server may send (69)", positiveNumber)
    .option("--least-rate <kilobytes>", "a second, below which a server is given up (1)", positiveNumber)
    .addHelpText("after", sources)
    .parse();
  return { source: program.args[0]!, flags: program.opts<Flags>() };
}

function rateText({ done, startedAtMs }: ProgressState): string {
  const seconds = (Date.now() - startedAtMs) / 1000;
  return seconds > 0 ? (done / seconds).toFixed(1) : "0";
}

/** A bar for each step with its rate and the time left; in a log file or a pipe, none. */
function showProgress(): void {
  const bars = new Map<string, SingleBar>();
  onProgress((state) => {
    const { task, unit, done, total, startedAtMs, finished } = state;
    const id = `${task} ${startedAtMs}`;
    let bar = bars.get(id);
    if (bar === undefined) {
      const count = total > 0 ? "{bar} {value} of {total}" : "{value}";
      const left = total > 0 ? ", {eta_formatted} left" : "";
      bar = new SingleBar({
        format: `${task} ${count} ${unit}, {rate} ${unit}/s${left}`,
        stream: process.stderr,
        etaBuffer: 50,
      });
      bars.set(id, bar);
      bar.start(total, done, { rate: "0" });
    }
    bar.update(done, { rate: rateText(state) });
    if (finished) bar.stop();
  });
}

/** A path as people would type it from here. */
function shortPath(folder: string): string {
  const path = relative(process.cwd(), folder) || ".";
  return path.startsWith("..") || isAbsolute(path) ? folder : path;
}

/** A word as a shell takes it. */
const shellWord = (word: string) => (/^[\w./=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** What runs everything on these images: what had to be said of them here has to be said there, too. */
function startCommand(folder: string, { labels, columns = {} }: Flags): string {
  const pairs = Object.entries(columns).map(([role, name]) => `${role}=${name}`);
  const words = ["--data", folder];
  if (labels !== undefined) words.push("--labels", labels);
  if (pairs.length > 0) words.push("--columns", pairs.join(","));
  return `npm start -- ${words.map(shellWord).join(" ")}`;
}

async function main(): Promise<void> {
  const { source, flags } = readCommandLine();
  let wasStopped = false;
  stopOnInterrupt(() => {
    wasStopped = true;
  });
  showProgress();
  try {
    const { most, leastRate, ...options } = flags;
    const fetched = await fetchDataset(source, {
      ...options,
      connection: {
        ...(most === undefined ? {} : { mostBytes: most * 1e9 }),
        ...(leastRate === undefined ? {} : { leastRate: leastRate * 1e3 }),
      },
    });
    for (const warning of fetched.warnings) complain(`Note: ${warning}`);
    const folder = shortPath(fetched.folder);
    say(describeFetched({ ...fetched, folder }));
    if (fetched.sha256 !== null) say(`The archive's SHA-256: ${fetched.sha256}`);
    say(`Next: ${startCommand(folder, flags)}`);
  } catch (error) {
    complain((error as Error).message);
    process.exitCode = wasStopped ? interruptedExitCode : 1;
  }
}

void main();

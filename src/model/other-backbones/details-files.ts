import { join } from "node:path";
import { z } from "zod";
import { readRegularFile } from "../../runtime/files/regular-file";
import { refusal } from "../../runtime/refusal";
import { explainMismatch } from "../../runtime/schema-words";
import { type BackboneDetails, backboneDetailsSchema } from "../../runtime/settings";
import type { FoundNetwork } from "./network";

/** What the files beside a network say of it. */
export interface SaidDetails {
  details: BackboneDetails;
  /** Names of the files that say it. */
  files: string[];
  /** What they ask for that is done otherwise here, each as a sentence. */
  notes: string[];
}

/** A file of somebody else's that says what a network takes. */
interface Said {
  details: BackboneDetails;
  notes?: string[];
}

/** The file of our own. */
export const ownFile = "backbone.json";

const triple = z.tuple([z.number(), z.number(), z.number()]);
const side = z.number().int();
const nothing: Said = { details: {} };

// Only what can be read without guessing is taken; the rest counts as not said.
const timmSchema = z.object({
  input_size: z
    .tuple([z.literal(3), side, side])
    .optional()
    .catch(undefined),
  mean: triple.optional().catch(undefined),
  std: triple.optional().catch(undefined),
  interpolation: z.enum(["bicubic", "bilinear"]).optional().catch(undefined),
  crop_pct: z.number().optional().catch(undefined),
});

/** timm's own pipeline divides by 255 and takes RGB; its file has no word for that. */
const timmScale = 1 / 255;

function definedOnly(details: { [Name in keyof BackboneDetails]: BackboneDetails[Name] | undefined }) {
  return Object.fromEntries(
    Object.entries(details).filter(([, value]) => value !== undefined),
  ) as BackboneDetails;
}

/** timm's `config.json`, in which `pretrained_cfg` says how images were prepared; older ones say it at the top. */
function readTimm(json: Record<string, unknown>): Said {
  const said = "pretrained_cfg" in json ? json["pretrained_cfg"] : json;
  const read = timmSchema.safeParse(said);
  if (read.success === false || (read.data.mean === undefined && read.data.input_size === undefined))
    return nothing;
  const { input_size: [, height, width] = [], mean, std, interpolation, crop_pct: crop = 1 } = read.data;
  const notes =
    crop < 1
      ? [`timm would cut the edges off (crop_pct ${crop}); here the whole image is stretched instead.`]
      : [];
  return {
    details: definedOnly({
      inputSize: height === width ? height : undefined,
      channels: "RGB",
      scale: timmScale,
      mean,
      deviation: std,
      interpolation,
    }),
    notes,
  };
}

const sidesSchema = z.object({ height: side, width: side });
const shortestSchema = z.object({ shortest_edge: side });
const sizeSchema = z.union([side, sidesSchema, shortestSchema]).optional().catch(undefined);
const huggingFaceSchema = z.object({
  do_rescale: z.boolean().optional().catch(undefined),
  rescale_factor: z.number().positive().optional().catch(undefined),
  do_normalize: z.boolean().optional().catch(undefined),
  image_mean: triple.optional().catch(undefined),
  image_std: triple.optional().catch(undefined),
  do_flip_channel_order: z.boolean().optional().catch(undefined),
  resample: z.number().optional().catch(undefined),
  size: sizeSchema,
  do_center_crop: z.boolean().optional().catch(undefined),
  crop_size: sizeSchema,
});

/** Pillow's numbers. */
const resamplings: Readonly<Record<number, BackboneDetails["interpolation"]>> = {
  2: "bilinear",
  3: "bicubic",
};

function squareOf(size: z.output<typeof sizeSchema>): number | undefined {
  if (typeof size === "number") return size;
  if (size === undefined) return undefined;
  if ("shortest_edge" in size) return size.shortest_edge;
  return size.height === size.width ? size.height : undefined;
}

/** Hugging Face's `preprocessor_config.json`. */
function readHuggingFace(json: Record<string, unknown>): Said {
  const read = huggingFaceSchema.safeParse(json);
  if (read.success === false) return nothing;
  const { do_rescale: rescales, rescale_factor: factor, do_normalize: normalises, ...said } = read.data;
  const crops = said.do_center_crop === true;
  const scaled = rescales === true ? factor : rescales === false ? 1 : undefined;
  return {
    details: definedOnly({
      inputSize: squareOf(crops ? said.crop_size : said.size),
      channels: said.do_flip_channel_order === true ? "BGR" : "RGB",
      scale: scaled,
      mean: normalises === true ? said.image_mean : normalises === false ? [0, 0, 0] : undefined,
      deviation: normalises === true ? said.image_std : normalises === false ? [1, 1, 1] : undefined,
      interpolation: resamplings[said.resample ?? -1],
    }),
    notes: crops ? ["Its processor would cut the edges off; here the whole image is stretched instead."] : [],
  };
}

/** @throws Error naming the file and what is wrong in it. */
function readOwn(json: Record<string, unknown>, path: string): Said {
  const read = backboneDetailsSchema.safeParse(json);
  if (read.success === true) return { details: read.data };
  throw refusal(
    `${path} can't be used: ${explainMismatch(backboneDetailsSchema, read.error, json, "the file")}.`,
  );
}

type Reader = (json: Record<string, unknown>, path: string) => Said;

/** @returns Null where there is no such file. */
async function readJson(path: string): Promise<Record<string, unknown> | null> {
  let text: string;
  try {
    text = (await readRegularFile(path)).toString("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw refusal(`${path} can't be read: ${(error as Error).message}.`);
  }
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw refusal(`${path} is damaged: it holds no JSON object.`);
}

/** The files that are asked, those first that go before others. */
const filesOf = ({ stem }: Pick<FoundNetwork, "stem">): [name: string, read: Reader][] => [
  ...(stem === null ? [] : [[`${stem}.${ownFile}`, readOwn] as [string, Reader]]),
  [ownFile, readOwn],
  ["preprocessor_config.json", readHuggingFace],
  ["config.json", readTimm],
];

/**
 * Reads what lies beside a network: `backbone.json`, then Hugging Face's `preprocessor_config.json`, then timm's
 * `config.json`; what one says is not asked of the next.
 *
 * @throws Error naming a file that can't be read or, of ours, what is wrong in it.
 */
export async function readDetails(found: Pick<FoundNetwork, "folder" | "stem">): Promise<SaidDetails> {
  const all: SaidDetails = { details: {}, files: [], notes: [] };
  for (const [name, read] of filesOf(found)) {
    const path = join(found.folder, name);
    const json = await readJson(path);
    if (json === null) continue;
    const { details, notes = [] } = read(json, path);
    const news = Object.keys(details).filter((key) => !(key in all.details));
    if (news.length === 0) continue;
    all.details = { ...details, ...all.details };
    all.files.push(name);
    all.notes = all.notes.concat(notes);
  }
  return all;
}

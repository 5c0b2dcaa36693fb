import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { hostileName } from "../support/data/example-dataset";
import { layMosaic, writeMosaic } from "../support/data/mosaic";
import { makeSmallRun, type SmallRun } from "../support/runs/small-run";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("predict-tiles-program");
const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");
const size = { width: 175, height: 115 };
let run: SmallRun;
let field: string;

function predict(...args: string[]): SpawnSyncReturns<string> {
  const program = [tsx, join(projectRoot(), "scripts", "predict.ts"), run.classifierFolder];
  return spawnSync(process.execPath, [...program, ...args], { encoding: "utf8", cwd: home });
}

beforeAll(async () => {
  vi.stubEnv("BREAKHIS_RUNS", join(home, "runs"));
  run = await makeSmallRun(home);
  vi.unstubAllEnvs();
  const rows = parse(readFileSync(join(run.folder, "predictions.csv")), { columns: true }) as {
    file: string;
  }[];
  const [a, b, c] = rows.map(({ file }) => join(run.images, file)) as [string, string, string];
  const kinds = await writeMosaic(
    home,
    await layMosaic(
      [
        [a, b, null, null],
        [null, null, c, a],
      ],
      size,
    ),
  );
  field = kinds["pyramid.tif"]!;
});
afterAll(() => vi.unstubAllEnvs());

describe("npm run predict --tiles", () => {
  it("cuts at the scale trained at, and writes table, page and GeoJSON that agree with predict on the images", () => {
    // The drawn images show the field of BreaKHis' 400×, 35 µm, on 175 pixels.
    const result = predict(
      field,
      "--tiles",
      "--mpp",
      "0.2",
      "--out",
      "t.csv",
      "--html",
      "t.html",
      "--geojson",
      "t.geojson",
    );
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toBe("");
    expect(result.stderr).toMatch(/A tile shows 35 × 23 µm, as the training images of 400× do/);
    expect(result.stderr).toMatch(/cut into 4 × 2 tiles of 175 × 115 pixels/);
    expect(result.stderr).toMatch(/Of 8 tiles, 4 are empty and left out: at least 90\.0 % .* glass/);
    expect(result.stderr).toMatch(/trained on synthetic images.*never tested on whole slides/);
    const rows = parse(readFileSync(join(home, "t.csv")), { columns: true }) as Record<string, string>[];
    expect(rows.map(({ left, top }) => [left, top])).toEqual([
      ["0", "0"],
      ["175", "0"],
      ["350", "115"],
      ["525", "115"],
    ]);
    const known = parse(readFileSync(join(run.folder, "predictions.csv")), { columns: true }) as Record<
      string,
      string
    >[];
    expect(rows.slice(0, 3).map((row) => row["probabilityMalignant"])).toEqual(
      known.slice(0, 3).map((row) => row["probabilityMalignant"]),
    );

    const json = JSON.parse(readFileSync(join(home, "t.geojson"), "utf8"));
    expect(json.type).toBe("FeatureCollection");
    expect(json.features).toHaveLength(4);
    for (const [i, { type, geometry, properties }] of json.features.entries()) {
      expect([type, geometry.type, geometry.coordinates.length]).toEqual(["Feature", "Polygon", 1]);
      const ring = geometry.coordinates[0] as [number, number][];
      expect(ring).toHaveLength(5);
      expect(ring[4]).toEqual(ring[0]);
      expect(ring.every(([x, y]) => x >= 0 && x <= 700 && y >= 0 && y <= 230)).toBe(true);
      const area = ring.slice(1).reduce((sum, [x, y], k) => sum + (ring[k]![0] * y - x * ring[k]![1]) / 2, 0);
      expect(area).toBe(175 * 115);
      expect(ring[0]).toEqual([Number(rows[i]!["left"]), Number(rows[i]!["top"])]);
      expect(properties.objectType).toBe("tile");
      expect(properties.classification.name).toBe(rows[i]!["predictedClass"]);
      expect(properties.classification.color).toHaveLength(3);
      expect(properties.measurements["probability of malignant"]).toBe(
        Number(rows[i]!["probabilityMalignant"]),
      );
      expect(Object.values(properties.measurements).every(Number.isFinite)).toBe(true);
    }

    const page = readFileSync(join(home, "t.html"), "utf8");
    // The map, the image, and the tiles that decided.
    expect(page.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(2 + 4);
    expect(page).toContain("Not a medical device");
    expect(page).toContain("Neither number is a diagnosis.");
    expect(page).not.toMatch(/(?:src|href)="http/);
  });

  it("shows names as they are, and writes a table where nothing else is asked for", () => {
    const hostile = join(home, `${hostileName}.tif`);
    copyFileSync(field, hostile);
    const result = predict(hostile, "--tiles", "--tile-size", "175x115", "--html", "hostile.html");
    expect(result.status, result.stderr).toBe(0);
    const page = readFileSync(join(home, "hostile.html"), "utf8");
    expect(page).not.toContain(hostileName);
    expect(page).toContain("&lt;");
    const table = predict(field, "--tiles", "--tile-size", "175x115");
    expect((parse(table.stdout, { columns: true }) as unknown[]).length).toBe(4);
  });

  it.each([
    [
      "what the file doesn't say",
      ["FIELD", "--tiles"],
      /does not say how large its pixels are: say it with --mpp, for/,
    ],
    [
      "a magnification not trained at",
      ["FIELD", "--tiles", "--mpp", "0.2", "--magnification", "40"],
      /not trained at 40×, but at 400×/,
    ],
    ["flags without --tiles", ["FIELD", "--mpp", "0.2"], /--mpp is for large images: give --tiles/],
    ["several images", ["FIELD", "FIELD", "--tiles"], /one image at a time, found 2/],
    ["a tile larger than the image", ["FIELD", "--tiles", "--mpp", "0.01"], /nothing to cut/],
    ["a scale that is none", ["FIELD", "--tiles", "--mpp", "0"], /number above 0/],
    [
      "a size that is none",
      ["FIELD", "--tiles", "--tile-size", "9"],
      /width and height, for example 700x460/,
    ],
    [
      "a file that isn't there",
      ["nowhere.svs", "--tiles"],
      /nowhere\.svs can't be used: there is no such file/,
    ],
  ])("says in one sentence: %s", (_, args, sentence) => {
    const result = predict(...args.map((arg) => (arg === "FIELD" ? field : arg)), "--out", "none.csv");
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(join(home, "none.csv"))).toBe(false);
  });
});

it("needs no more memory for an image of 768 MB than for a small one", { timeout: 300_000 }, async () => {
  const edge = 16_000;
  const large = join(home, "large.tif");
  const tissue = await sharp(field)
    .extract({ left: 0, top: 0, ...size })
    .resize(500, 500, { fit: "fill" })
    .png()
    .toBuffer();
  await sharp({
    create: { width: edge, height: edge, channels: 3, background: "#f4f2f5" },
    limitInputPixels: false,
  })
    .composite([0, 9000].map((place) => ({ input: tissue, left: place, top: place })))
    .removeAlpha()
    .tiff({ tile: true, compression: "jpeg" })
    .toFile(large);
  const strips = join(home, "large-strips.tif");
  await sharp(large, { limitInputPixels: false }).tiff({ compression: "lzw" }).toFile(strips);
  const worker = join(projectRoot(), "test", "support", "model", "picture-worker.ts");
  const measure = (path: string, tile: number) => {
    const result = spawnSync(process.execPath, [tsx, worker, path, String(tile)], { encoding: "utf8" });
    expect(result.status, result.stderr).toBe(0);
    return JSON.parse(result.stdout) as {
      answered: number;
      empty: number;
      complete: boolean;
      peakBytes: number;
    };
  };
  const small = measure(field, 100);
  for (const path of [large, strips]) {
    const found = measure(path, 500);
    expect(found).toMatchObject({ complete: true, answered: 2, empty: 32 * 32 - 2 });
    expect(found.peakBytes - small.peakBytes).toBeLessThan(400e6);
  }
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../runtime/paths";
import { htmlPage } from "../display/html";

/** Puts HTML of our own making together as one page that needs no other file, no network and no program. */
export async function plainPage(page: { title: string; header: string; main: string }): Promise<string> {
  const { title, header, main } = page;
  const css = await readFile(join(projectRoot(), "src", "views", "report", "report-page.css"), "utf8");
  return htmlPage({
    title,
    allowed: "img-src data:; style-src 'unsafe-inline'",
    css: `${css}\nbody { max-width: 76rem; }\n`,
    body: `<header>\n${header}\n</header>\n<main class="front">\n${main}\n</main>`,
  });
}

// Prints the article's figures beside those of the preset's two runs: node scripts/typescript.js article.ts <run folder>

import { textTable } from "../src/experiments/evaluation-text";
import { readArticleComparison } from "../src/experiments/published/article";
import { endWithReason } from "./ending";
import { say } from "./say";

async function main(): Promise<void> {
  const [folder = ""] = process.argv.slice(2);
  const comparison = await readArticleComparison(folder);
  if (comparison === null) throw new Error(`There are no two runs to compare in ${folder} and beside it.`);
  const { columns, rows, comparability } = comparison;
  say(`\n${textTable([columns, ...rows])}\n\n${comparability}`);
}

main().catch(endWithReason);

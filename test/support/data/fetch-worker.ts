// Fetches the small set from an address into a folder, by way of an archive that is kept where one is named.
import { fetchDataset } from "../../../src/data/fetch/fetch-dataset";
import { smallSource } from "./small-breakhis";

const [url, into, archive] = process.argv.slice(2);
void fetchDataset(smallSource(url!), { into: into!, ...(archive === undefined ? {} : { archive }) });

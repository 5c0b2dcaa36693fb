import { z } from "zod";
import { printable } from "./printable";

/** As much of JSON Schema (https://json-schema.org) as is looked at here. */
interface JsonSchema {
  $schema?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** So many places that are wrong are named. */
const mostComplaints = 10;

/** What a setting may be: JSON Schema's words, and some of our own. */
export interface DescribedSetting {
  type: "string" | "boolean" | "integer" | "number" | "array" | "object";
  enum?: string[];
  const?: string | number | boolean;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: DescribedSetting;
  /** Of a list with a fixed number of members. */
  prefixItems?: DescribedSetting[];
  /** Of a group, by their names. */
  properties?: Record<string, DescribedSetting>;
  nullable: boolean;
  /** All that in words, as in "a whole number from 1 to 8192". */
  takes: string;
}

/** A group of settings, as it may stand in a JSON file. */
export function describeSettings(schema: z.ZodType): DescribedSetting {
  return describe(z.toJSONSchema(schema, { io: "input" }) as JsonSchema);
}

function describe(schema: JsonSchema): DescribedSetting {
  const { $schema: _, additionalProperties: __, type, anyOf = [], properties, ...rest } = schema;
  const types = [type ?? []].flat();
  const nullable = types.includes("null") || anyOf.some((choice) => choice.type === "null");
  const inner = anyOf.find((choice) => choice.type !== "null");
  if (inner !== undefined) return { ...describe(inner), ...rest, nullable } as DescribedSetting;
  const members = Object.entries(properties ?? {}).map(([name, member]) => [name, describe(member)]);
  const described = {
    ...rest,
    type: types.find((name) => name !== "null"),
    nullable,
    ...(properties === undefined ? {} : { properties: Object.fromEntries(members) }),
  } as unknown as Omit<DescribedSetting, "takes"> & { takes?: string };
  return { ...described, takes: described.takes ?? takesOf(described) };
}

function takesOf(setting: Omit<DescribedSetting, "takes">): string {
  if (setting.enum !== undefined) return oneOf(setting.enum);
  if (setting.const !== undefined) return JSON.stringify(setting.const);
  switch (setting.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return `a whole number${rangeOf(setting)}`;
    case "number":
      return `a number${rangeOf(setting)}`;
    case "array":
      return `a list of ${countOf(setting)}${nounOf(setting.prefixItems?.[0] ?? setting.items!)}`;
    case "string":
      return "a text";
    default:
      return `a group${setting.properties === undefined ? "" : ` of ${Object.keys(setting.properties).join(", ")}`}`;
  }
}

function rangeOf(setting: Omit<DescribedSetting, "takes">): string {
  const { exclusiveMinimum, exclusiveMaximum } = setting;
  // Whole numbers end somewhere; nobody means those ends.
  const minimum = setting.minimum === Number.MIN_SAFE_INTEGER ? undefined : setting.minimum;
  const maximum = setting.maximum === Number.MAX_SAFE_INTEGER ? undefined : setting.maximum;
  if (minimum === undefined) {
    if (exclusiveMinimum === undefined) return maximum === undefined ? "" : ` of at most ${maximum}`;
    return ` above ${exclusiveMinimum}${maximum === undefined ? "" : ` and at most ${maximum}`}`;
  }
  if (exclusiveMaximum !== undefined) return ` from ${minimum} to below ${exclusiveMaximum}`;
  return maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`;
}

function countOf({ minItems, maxItems }: Omit<DescribedSetting, "takes">): string {
  if (maxItems === undefined) return minItems === undefined ? "" : `${minItems} or more `;
  if (minItems === undefined) return `up to ${maxItems} `;
  return minItems === maxItems ? `${minItems} ` : `${minItems} to ${maxItems} `;
}

function nounOf(item: DescribedSetting): string {
  if (item.type === "integer") return `whole numbers${rangeOf(item)}`;
  if (item.type === "number") return `numbers${rangeOf(item)}`;
  return item.type === "string" ? "texts" : "groups";
}

const oneOf = (choices: readonly string[]): string =>
  `${choices.slice(0, -1).join(", ")} or ${choices[choices.length - 1]}`;

/** Says where something is not as a schema has it: the names, what each takes, and what was given. */
export function explainMismatch(
  schema: z.ZodType,
  error: z.ZodError,
  given: unknown,
  whole: "settings" | "the file",
): string {
  const all = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  const complaints = error.issues.slice(0, mostComplaints).map((issue) => {
    const place = placeOf(all, issue.path, given);
    const name = place.name || whole;
    if (issue.code === "custom") return `${name}: ${issue.message}`;
    const { takes, nullable, properties } = describe(place.schema);
    if (issue.code === "unrecognized_keys") {
      const names = issue.keys.map((key) => JSON.stringify(key)).join(", ");
      return `${names} is no setting${place.name === "" ? "" : ` of ${name}`}, which are ${Object.keys(properties!).join(", ")}`;
    }
    return `${name} takes ${takes}${nullable ? ", or null" : ""}, and ${shown(place.given)} was given`;
  });
  const more = error.issues.length - complaints.length;
  return complaints.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

const isPlain = ({ type }: JsonSchema) => type === "string" || type === "integer" || type === "number";

interface Place {
  /** The names that lead there, with dots between them; empty for the whole. */
  name: string;
  schema: JsonSchema;
  given: unknown;
}

function placeOf(schema: JsonSchema, path: readonly PropertyKey[], given: unknown): Place {
  let place: Place = { name: "", schema, given };
  for (const key of path) {
    const member = memberOf(place.schema, key, place.given);
    // A list of numbers or texts is told whole.
    if (member === null || (typeof key === "number" && isPlain(member))) break;
    const inner = (place.given as Record<PropertyKey, unknown> | null | undefined)?.[key];
    place = { name: [place.name, key].filter((part) => part !== "").join("."), schema: member, given: inner };
  }
  return place;
}

/** What a schema says of one member; where it leaves a choice, what the choices say of it that can be meant. */
function memberOf(schema: JsonSchema, key: PropertyKey, given: unknown): JsonSchema | null {
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices === undefined) {
    const { items, prefixItems, properties, additionalProperties } = schema;
    const ofList = typeof key === "number";
    const member = ofList
      ? (prefixItems?.[key] ?? items)
      : (properties?.[String(key)] ?? additionalProperties);
    return typeof member === "object" ? member : null;
  }
  const meant = choices.filter((choice) => isMeant(choice, given));
  const members = (meant.length > 0 ? meant : choices).flatMap(
    (choice) => memberOf(choice, key, given) ?? [],
  );
  const [first = null] = members;
  const kinds = members.map((member) => member.const);
  return kinds.length > 1 && !kinds.includes(undefined) ? { enum: kinds } : first;
}

/** Whether a group's members that have one value only have it. */
function isMeant({ properties = {} }: JsonSchema, given: unknown): boolean {
  return Object.entries(properties).every(
    ([name, { const: wanted }]) =>
      wanted === undefined || (given as Record<string, unknown> | null)?.[name] === wanted,
  );
}

/** A value as it would be written in a cell or a file, in short. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = printable(
    typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value)),
  );
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

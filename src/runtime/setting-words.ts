import { z } from "zod";

/** What a setting may be: JSON Schema's words (https://json-schema.org), and some of our own. */
export interface DescribedSetting {
  type: "string" | "boolean" | "integer" | "number" | "array" | "object";
  enum?: string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  maxItems?: number;
  items?: DescribedSetting;
  /** Of a group, by their names. */
  properties?: Record<string, DescribedSetting>;
  nullable: boolean;
  /** All that in words, as in "a whole number from 1 to 8192". */
  takes: string;
}

/** A group of settings, as it may stand in a JSON file. */
export function describeSettings(schema: z.ZodType): DescribedSetting {
  return describe(z.toJSONSchema(schema, { io: "input" }));
}

function describe(schema: z.core.JSONSchema.BaseSchema): DescribedSetting {
  const { $schema: _, additionalProperties: __, type, anyOf = [], properties, ...rest } = schema;
  const types = [type ?? []].flat();
  const nullable = types.includes("null") || anyOf.some((choice) => choice.type === "null");
  const inner = anyOf.find((choice) => choice.type !== "null");
  if (inner !== undefined) return { ...describe(inner), ...rest, nullable } as DescribedSetting;
  const members = Object.entries(properties ?? {}).map(([name, member]) => [
    name,
    describe(member as typeof schema),
  ]);
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
  switch (setting.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return `a whole number ${rangeOf(setting)}`;
    case "number":
      return `a number ${rangeOf(setting)}`;
    case "array":
      return `a list of up to ${setting.maxItems} whole numbers ${rangeOf(setting.items!)}`;
    case "object":
      return `a group of ${Object.keys(setting.properties!).join(", ")}`;
    default:
      return "a text";
  }
}

function rangeOf({
  minimum,
  exclusiveMinimum,
  maximum,
  exclusiveMaximum,
}: Omit<DescribedSetting, "takes">): string {
  if (minimum === undefined) return `above ${exclusiveMinimum} and at most ${maximum}`;
  if (exclusiveMaximum !== undefined) return `from ${minimum} to below ${exclusiveMaximum}`;
  return maximum === undefined ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
}

const oneOf = (choices: readonly string[]): string =>
  `${choices.slice(0, -1).join(", ")} or ${choices[choices.length - 1]}`;

/** Says in sentences why settings can't be used: each one's name, what it takes, and what was given. */
export function explainSettings(schema: z.ZodType, error: z.ZodError, given: unknown): string {
  const all = describeSettings(schema);
  const complaints = error.issues.map((issue) => {
    // One of a list is told as the list.
    const path = issue.path.filter((key): key is string => typeof key === "string");
    const name = path.join(".");
    if (issue.code === "custom") return `${name}: ${issue.message}`;
    const setting = path.reduce((group, key) => group.properties![key]!, all);
    if (issue.code === "unrecognized_keys") {
      const names = issue.keys.map((key) => JSON.stringify(key)).join(", ");
      return `${names} is no setting${name === "" ? "" : ` of ${name}`}, which are ${Object.keys(setting.properties!).join(", ")}`;
    }
    const value = path.reduce((group, key) => (group as Record<string, unknown>)[key], given);
    return `${name || "settings"} takes ${setting.takes}${setting.nullable ? ", or null" : ""}, and ${shown(value)} was given`;
  });
  return `These settings can't be used. ${complaints.join("; ")}.`;
}

/** A value as it would be written in a cell, in short. */
function shown(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

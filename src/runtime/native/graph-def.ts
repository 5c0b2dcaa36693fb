/**
 * Graphs in the format that TensorFlow reads: nodes → the bytes of a `saved_model.pb`.
 *
 * The messages are those that the addon brings along for its own saved models.
 */

/** Numbers of TensorFlow's types (types.proto). */
const typeNumbers = {
  float32: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
  resource: 20,
} as const;

/** A type of TensorFlow's values. */
export type GraphType = keyof typeof typeNumbers;

/**
 * The type that TensorFlow's API gives this number.
 *
 * @throws RangeError if it is none of those that are used here.
 */
export function typeOfNumber(number: number): GraphType {
  const type = (Object.keys(typeNumbers) as GraphType[]).find((name) => typeNumbers[name] === number);
  if (type === undefined)
    throw new RangeError(`TensorFlow's type number ${number} is not one that is used here.`);
  return type;
}

/** Sizes of a value's dimensions; null where a size is known only when the graph runs. */
export type GraphShape = readonly (number | null)[];

/** An attribute of a node, by its kind in the operation's definition; the plural ones are lists. */
export type GraphAttribute =
  | { type: GraphType }
  | { types: readonly GraphType[] }
  | { int: number }
  | { ints: readonly number[] }
  | { float: number }
  | { floats: readonly number[] }
  | { flag: boolean }
  | { text: string }
  | { texts: readonly string[] }
  | { shape: GraphShape }
  | { shapes: readonly GraphShape[] }
  | { tensor: { type: GraphType; shape: readonly number[]; bytes: Uint8Array } };

/** A node as it stands in the file. */
export interface NodeDescription {
  name: string;
  operation: string;
  /** "node:0" for a value, "^node" for a node that only has to run before. */
  inputs: readonly string[];
  attributes: Readonly<Record<string, GraphAttribute>>;
}

interface Message {
  serializeBinary(): Uint8Array;
}

/** The setters of generated messages that are used here. */
interface MessageClasses {
  AttrValue: {
    new (): Message & {
      setType(value: number): void;
      setI(value: number): void;
      setF(value: number): void;
      setB(value: boolean): void;
      setS(value: Uint8Array): void;
      setShape(value: Message): void;
      setTensor(value: Message): void;
      setList(value: Message): void;
    };
    ListValue: new () => Message & {
      setTypeList(value: number[]): void;
      setIList(value: number[]): void;
      setFList(value: number[]): void;
      setSList(value: Uint8Array[]): void;
      setShapeList(value: Message[]): void;
    };
  };
  TensorShape: {
    new (): Message & { setDimList(value: Message[]): void };
    Dim: new () => Message & { setSize(value: number): void };
  };
  Tensor: new () => Message & {
    setDtype(value: number): void;
    setTensorShape(value: Message): void;
    setTensorContent(value: Uint8Array): void;
  };
  NodeDef: new () => Message & {
    setName(value: string): void;
    setOp(value: string): void;
    setInputList(value: string[]): void;
    getAttrMap(): { set(name: string, value: Message): void };
  };
  VersionDef: new () => Message & { setProducer(value: number): void };
  GraphDef: new () => Message & { setNodeList(value: Message[]): void; setVersions(value: Message): void };
  MetaGraphDef: {
    new (): Message & { setMetaInfoDef(value: Message): void; setGraphDef(value: Message): void };
    MetaInfoDef: new () => Message & { setTagsList(value: string[]): void };
  };
  SavedModel: new () => Message & {
    setSavedModelSchemaVersion(value: number): void;
    setMetaGraphsList(value: Message[]): void;
  };
}

const messages = require("@tensorflow/tfjs-node-gpu/dist/proto/api_pb") as MessageClasses;

/** The version of the format that TensorFlow 2.9 writes; later ones read it, and it knows all that is used. */
const producerVersion = 1087;
/** Protocol buffers end at 2 GiB. */
const mostBytes = 2 ** 31 - 1;

/** The tag under which the graph stands in its file. */
export const graphTag = "serve";

const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function shapeMessage(shape: GraphShape): Message {
  const message = new messages.TensorShape();
  const dimensions = shape.map((size) => {
    const dimension = new messages.TensorShape.Dim();
    dimension.setSize(size ?? -1);
    return dimension;
  });
  message.setDimList(dimensions);
  return message;
}

function tensorMessage(type: GraphType, shape: readonly number[], bytes: Uint8Array): Message {
  const message = new messages.Tensor();
  message.setDtype(typeNumbers[type]);
  message.setTensorShape(shapeMessage(shape));
  message.setTensorContent(bytes);
  return message;
}

function listMessage(attribute: GraphAttribute): Message | null {
  const list = new messages.AttrValue.ListValue();
  if ("types" in attribute) list.setTypeList(attribute.types.map((type) => typeNumbers[type]));
  else if ("ints" in attribute) list.setIList([...attribute.ints]);
  else if ("floats" in attribute) list.setFList([...attribute.floats]);
  else if ("texts" in attribute) list.setSList(attribute.texts.map(textBytes));
  else if ("shapes" in attribute) list.setShapeList(attribute.shapes.map(shapeMessage));
  else return null;
  return list;
}

function attributeMessage(attribute: GraphAttribute): Message {
  const message = new messages.AttrValue();
  const list = listMessage(attribute);
  if (list !== null) message.setList(list);
  else if ("type" in attribute) message.setType(typeNumbers[attribute.type]);
  else if ("int" in attribute) message.setI(attribute.int);
  else if ("float" in attribute) message.setF(attribute.float);
  else if ("flag" in attribute) message.setB(attribute.flag);
  else if ("text" in attribute) message.setS(textBytes(attribute.text));
  else if ("shape" in attribute) message.setShape(shapeMessage(attribute.shape));
  else if ("tensor" in attribute) {
    const { type, shape, bytes } = attribute.tensor;
    message.setTensor(tensorMessage(type, shape, bytes));
  }
  return message;
}

function nodeMessage({ name, operation, inputs, attributes }: NodeDescription): Message {
  const message = new messages.NodeDef();
  message.setName(name);
  message.setOp(operation);
  message.setInputList([...inputs]);
  const map = message.getAttrMap();
  for (const [key, attribute] of Object.entries(attributes)) map.set(key, attributeMessage(attribute));
  return message;
}

/**
 * Writes a graph as the bytes of a `saved_model.pb`; the bytes of its constants are copied once, into the result.
 *
 * @throws RangeError if the constants are too large for the format.
 */
export function encodeSavedModel(nodes: readonly NodeDescription[]): Uint8Array {
  const constantBytes = nodes.reduce((sum, { attributes }) => {
    const value = attributes["value"];
    return sum + (value !== undefined && "tensor" in value ? value.tensor.bytes.length : 0);
  }, 0);
  if (constantBytes > mostBytes) {
    throw new RangeError(
      `A graph's constants take at most 2 GiB, found ${constantBytes} bytes: feed some of them as inputs.`,
    );
  }
  const version = new messages.VersionDef();
  version.setProducer(producerVersion);
  const graph = new messages.GraphDef();
  graph.setNodeList(nodes.map(nodeMessage));
  graph.setVersions(version);
  const about = new messages.MetaGraphDef.MetaInfoDef();
  about.setTagsList([graphTag]);
  const metaGraph = new messages.MetaGraphDef();
  metaGraph.setMetaInfoDef(about);
  metaGraph.setGraphDef(graph);
  const savedModel = new messages.SavedModel();
  savedModel.setSavedModelSchemaVersion(1);
  savedModel.setMetaGraphsList([metaGraph]);
  return savedModel.serializeBinary();
}

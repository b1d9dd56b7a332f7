/**
 * Python pickles read as data: numbers, texts and containers, and the few names that the caller knows. Nothing is looked up,
 * imported or called, so a hostile file can at worst be refused. The opcodes are those of Python's `pickletools`.
 */

/** A tuple; a list is an array. */
export class PickledTuple {
  constructor(readonly items: readonly Pickled[]) {}
}

/** A name that the caller knows, as `module name`. */
export class PickledName {
  constructor(readonly name: string) {}
}

/** What the caller made of a name and its arguments, or of a persistent id. */
export abstract class PickledObject {
  /** Sets objects apart from all other values, for the compiler too. */
  readonly isObject = true;
}

/**
 * What a pickle makes of a name that the caller does not know, where the caller lets that pass: the name alone. Nothing was
 * looked up or called, and what the pickle gave it is forgotten.
 */
export class PickledStranger extends PickledObject {
  constructor(readonly name: string) {
    super();
  }
}

export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Pickled[]
  | Map<Pickled, Pickled>
  | PickledTuple
  | PickledName
  | PickledObject;

/** What the caller makes of the parts of a pickle that are not plain data. */
export interface PickleMeaning {
  /** Names that may occur, as `module name`; every other one is refused, or a stranger where those pass. */
  readonly names: ReadonlySet<string>;
  /** Whether names that are not known stand for `PickledStranger`s: for files that hold more than is wanted of them. */
  readonly strangersPass?: boolean;
  /** What calling a known name with arguments stands for; undefined: refused, or a stranger where those pass. */
  make(name: string, args: readonly Pickled[]): Pickled | undefined;
  /** What a persistent id stands for; undefined: it is refused. */
  persistent(id: Pickled): Pickled | undefined;
}

/** A pickle that is malformed, or asks for what is not read. The message is a predicate: "asks for …". */
export class PickleError extends Error {}

/** Containers of one pickle: a model has a few for each tensor, a bomb of one-byte opcodes has millions. */
const MOST_CONTAINERS = 500_000;

const MARK = Symbol("mark");

/**
 * Reads the pickle that starts at `start` of `bytes`.
 *
 * It takes time and memory in proportion to the pickle's length: containers that refer to each other are never copied or
 * walked through, and no size is believed before the bytes are there.
 *
 * @throws PickleError
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  meaning: PickleMeaning,
): { value: Pickled; end: number } {
  const reader = new PickleReader(bytes, start, meaning);
  return { value: reader.read(), end: reader.position };
}

class PickleReader {
  /** What each opcode does; those that are not here are refused. */
  static readonly #actions: ReadonlyMap<number, (reader: PickleReader) => void> = new Map([
    [0x80, (r) => r.#protocol()], // PROTO
    [0x95, (r) => r.#take(8)], // FRAME: how many bytes follow at once; of no meaning here
    [0x28, (r) => r.#stack.push(MARK)], // MARK
    [0x30, (r) => r.#drop()], // POP
    [0x4e, (r) => r.#push(null)], // NONE
    [0x88, (r) => r.#push(true)], // NEWTRUE
    [0x89, (r) => r.#push(false)], // NEWFALSE
    [0x4b, (r) => r.#push(r.#byte())], // BININT1
    [0x4d, (r) => r.#push(r.#view.getUint16(r.#take(2), true))], // BININT2
    [0x4a, (r) => r.#push(r.#view.getInt32(r.#take(4), true))], // BININT
    [0x8a, (r) => r.#push(r.#long(r.#byte()))], // LONG1
    [0x47, (r) => r.#push(r.#view.getFloat64(r.#take(8)))], // BINFLOAT
    [0x8c, (r) => r.#push(r.#text(r.#byte()))], // SHORT_BINUNICODE
    [0x58, (r) => r.#push(r.#text(r.#size()))], // BINUNICODE
    [0x55, (r) => r.#push(r.#text(r.#byte()))], // SHORT_BINSTRING: a text of Python 2
    [0x54, (r) => r.#push(r.#text(r.#size()))], // BINSTRING
    [0x43, (r) => r.#push(r.#slice(r.#byte()))], // SHORT_BINBYTES
    [0x42, (r) => r.#push(r.#slice(r.#size()))], // BINBYTES
    [0x5d, (r) => r.#push(r.#counted([]))], // EMPTY_LIST
    [0x7d, (r) => r.#push(r.#counted(new Map()))], // EMPTY_DICT
    [0x29, (r) => r.#push(r.#counted(new PickledTuple([])))], // EMPTY_TUPLE
    [0x74, (r) => r.#push(r.#counted(new PickledTuple(r.#sinceMark())))], // TUPLE
    [0x85, (r) => r.#push(r.#counted(new PickledTuple(r.#last(1))))], // TUPLE1
    [0x86, (r) => r.#push(r.#counted(new PickledTuple(r.#last(2))))], // TUPLE2
    [0x87, (r) => r.#push(r.#counted(new PickledTuple(r.#last(3))))], // TUPLE3
    [0x61, (r) => r.#append(r.#last(1))], // APPEND
    [0x65, (r) => r.#append(r.#sinceMark())], // APPENDS
    [0x73, (r) => r.#setItems(r.#last(2))], // SETITEM
    [0x75, (r) => r.#setItems(r.#sinceMark())], // SETITEMS
    [0x71, (r) => r.#remember(r.#byte())], // BINPUT
    [0x72, (r) => r.#remember(r.#size())], // LONG_BINPUT
    [0x94, (r) => r.#remember(r.#memo.size)], // MEMOIZE
    [0x68, (r) => r.#recall(r.#byte())], // BINGET
    [0x6a, (r) => r.#recall(r.#size())], // LONG_BINGET
    [0x63, (r) => r.#name(r.#line(), r.#line())], // GLOBAL
    [0x93, (r) => r.#name(...r.#last(2))], // STACK_GLOBAL
    [0x52, (r) => r.#reduce()], // REDUCE
    [0x81, (r) => r.#instance()], // NEWOBJ: of a class, with arguments
    [0x62, (r) => r.#build()], // BUILD
    [0x51, (r) => r.#refer()], // BINPERSID
  ]);

  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #meaning: PickleMeaning;
  readonly #stack: (Pickled | typeof MARK)[] = [];
  readonly #memo = new Map<number, Pickled>();
  #containers = 0;

  constructor(bytes: Uint8Array, start: number, meaning: PickleMeaning) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = start;
    this.#meaning = meaning;
  }

  read(): Pickled {
    for (;;) {
      const opcode = this.#byte();
      if (opcode === STOP) {
        const value = this.#pop();
        if (this.#stack.length > 0) throw new PickleError("ends with values left over");
        return value;
      }
      const action = PickleReader.#actions.get(opcode);
      if (!action) throw unreadable(opcode);
      action(this);
    }
  }

  #protocol(): void {
    if (this.#byte() > 5) throw new PickleError("is of a later protocol than 5");
  }

  #drop(): void {
    if (this.#stack.pop() === undefined) throw new PickleError("takes a value that is not there");
  }

  #refer(): void {
    const made = this.#meaning.persistent(this.#pop());
    if (made === undefined)
      throw new PickleError("refers to something outside that is not a tensor's storage");
    this.#push(made);
  }

  #name(module?: Pickled, name?: Pickled): void {
    if (typeof module !== "string" || typeof name !== "string")
      throw new PickleError("names something by what is not a text");
    const whole = `${module} ${name}`;
    if (this.#meaning.names.has(whole)) this.#push(new PickledName(whole));
    else if (this.#meaning.strangersPass) this.#push(this.#counted(new PickledStranger(whole)));
    else throw new PickleError(`asks for ${shown(`${module}.${name}`)}, which is not data`);
  }

  #reduce(): void {
    const [called, args] = this.#last(2);
    const isKnown = called instanceof PickledName;
    if (!(isKnown || called instanceof PickledStranger) || !(args instanceof PickledTuple))
      throw new PickleError("calls something that is not a known name");
    const made = isKnown ? this.#meaning.make(called.name, args.items) : undefined;
    if (made === undefined && !this.#meaning.strangersPass)
      throw new PickleError(`calls ${called.name.replace(" ", ".")} with arguments that it does not take`);
    this.#push(this.#counted(made ?? new PickledStranger(called.name)));
  }

  #instance(): void {
    if (!this.#meaning.strangersPass) throw unreadable(0x81);
    this.#reduce();
  }

  /** A dictionary's further attributes (`_metadata` of a state_dict) say nothing about its tensors. */
  #build(): void {
    const [target, state] = this.#last(2);
    const passes = this.#meaning.strangersPass && (target instanceof Map || target instanceof PickledObject);
    if (target === undefined || !(passes || (target instanceof Map && state instanceof Map)))
      throw new PickleError("sets attributes of something that is not a dictionary");
    this.#push(target);
  }

  #append(items: Pickled[]): void {
    const list = this.#top();
    if (list instanceof PickledStranger) return;
    if (!Array.isArray(list)) throw new PickleError("appends to something that is not a list");
    for (const item of items) list.push(item);
  }

  #setItems(items: Pickled[]): void {
    const dictionary = this.#top();
    if (dictionary instanceof PickledStranger) return;
    if (!(dictionary instanceof Map) || items.length % 2 !== 0)
      throw new PickleError("sets entries of something that is not a dictionary");
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i]!, items[i + 1]!);
  }

  #remember(key: number): void {
    this.#memo.set(key, this.#top());
  }

  #recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw new PickleError(`recalls entry ${key}, which it never kept`);
    this.#push(value);
  }

  #counted<T extends Pickled>(container: T): T {
    if (++this.#containers > MOST_CONTAINERS)
      throw new PickleError(`has more than ${MOST_CONTAINERS} containers, more than any model`);
    return container;
  }

  #push(value: Pickled): void {
    this.#stack.push(value);
  }

  #pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw new PickleError("takes a value that is not there");
    return value;
  }

  #top(): Pickled {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw new PickleError("takes a value that is not there");
    return value;
  }

  /** Takes the last `count` values off the stack. */
  #last(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #sinceMark(): Pickled[] {
    const items: Pickled[] = [];
    for (;;) {
      const value = this.#stack.pop();
      if (value === undefined) throw new PickleError("closes a container that it never opened");
      if (value === MARK) return items.reverse();
      items.push(value);
    }
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #size(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #text(length: number): string {
    return decodeText(this.#slice(length));
  }

  #slice(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A whole number of `length` bytes, little-endian, two's complement. */
  #long(length: number): number | bigint {
    const digits = this.#slice(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    const signed = length > 0 && digits[length - 1]! >= 0x80 ? value - (1n << BigInt(8 * length)) : value;
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end < 0) throw new PickleError("is cut short");
    const text = decodeText(this.#bytes.subarray(this.position, end));
    this.position = end + 1;
    return text;
  }

  /** Moves on by `length` bytes and returns where they start. */
  #take(length: number): number {
    const at = this.position;
    if (length > this.#bytes.length - at) throw new PickleError("is cut short");
    this.position = at + length;
    return at;
  }
}

const STOP = 0x2e;

function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function unreadable(opcode: number): PickleError {
  return new PickleError(
    `has the opcode 0x${opcode.toString(16).padStart(2, "0")}, which no file of weights needs`,
  );
}

/** A name from the file, on one line and no longer than needed. */
function shown(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}…` : name);
}

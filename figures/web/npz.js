/**
 * Arrays of a .npz file of NumPy: a zip archive of .npy entries, stored or deflated.
 *
 * Formats: PKWARE's APPNOTE.TXT, sections 4.3.7 to 4.3.16, and NEP 1 of NumPy. Whatever is not as numpy.savez and
 * numpy.savez_compressed write it is refused in one sentence, a FileError.
 */

const LARGEST_FILE = 2 ** 26; // bytes, of a file and of an array when it is unpacked
const MOST_ROWS = 2 ** 22; // lists of an array when it is nested
const MOST_AXES = 64; // NumPy's own

class FileError extends Error {}

const END_OF_ARCHIVE = 0x06054b50, IN_DIRECTORY = 0x02014b50, BEFORE_DATA = 0x04034b50;
const STORED = 0, DEFLATED = 8;

/** Entries of a zip archive: name → {method, packed bytes, size}. */
function zipEntries(buffer) {
  const view = new DataView(buffer);
  let end = buffer.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END_OF_ARCHIVE) end--;
  if (end < 0) throw new FileError("it is no zip archive");
  const entries = new Map();
  let at = view.getUint32(end + 16, true);
  for (let n = view.getUint16(end + 10, true); n > 0; n--) {
    if (view.getUint32(at, true) !== IN_DIRECTORY) throw new FileError("its list of arrays is damaged");
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const [packed, size, start] = [20, 24, 42].map((offset) => view.getUint32(at + offset, true));
    const name = new TextDecoder().decode(new Uint8Array(buffer, at + 46, nameLength));
    if (view.getUint32(start, true) !== BEFORE_DATA) throw new FileError(`its array ${name} is damaged`);
    const data = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
    entries.set(name, { name, method: view.getUint16(at + 10, true), size, bytes: new Uint8Array(buffer, data, packed) });
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}

/** Bytes of an entry, which may not become more than it says. */
async function unpacked({ name, method, size, bytes }) {
  if (size > LARGEST_FILE) throw new FileError(`its array ${name} has ${size} bytes, more than ${LARGEST_FILE}`);
  if (method === STORED) return bytes;
  if (method !== DEFLATED) throw new FileError(`its array ${name} is packed by a method other than numpy's`);
  const found = new Uint8Array(size);
  let length = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (length + part.value.length > size) throw new FileError(`its array ${name} is longer than it says`);
    found.set(part.value, length);
    length += part.value.length;
  }
  if (length < size) throw new FileError(`its array ${name} is shorter than it says`);
  return found;
}

const READERS = { // type → bytes of an entry, and how it is read
  "<f8": [8, (view, at) => view.getFloat64(at, true)],
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<i8": [8, (view, at) => Number(view.getBigInt64(at, true))],
  "<i4": [4, (view, at) => view.getInt32(at, true)],
};

/** Array of a .npy file, nested as its shape says; a text of NumPy as a string. */
function readNpy(bytes, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = [0x93, ...Array.from("NUMPY", (letter) => letter.charCodeAt(0))];
  if (bytes.length < 12 || magic.some((byte, n) => bytes[n] !== byte)) throw new FileError(`its entry ${name} is no array of NumPy`);
  const [offset, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = new TextDecoder("latin1").decode(bytes.subarray(offset, offset + length));
  const type = /'descr': '([^']*)'/.exec(header)?.[1];
  const sizes = /'shape': \(([\d, ]*)\)/.exec(header)?.[1];
  if (type === undefined || sizes === undefined) throw new FileError(`its array ${name} is not of numbers`);
  if (!header.includes("'fortran_order': False")) throw new FileError(`its array ${name} is in Fortran's order, but must be in C's`);
  const shape = sizes.split(",").filter((size) => size.trim()).map(Number);
  const data = new DataView(bytes.buffer, bytes.byteOffset + offset + length, bytes.length - offset - length);
  const text = /^<U(\d+)$/.exec(type);
  if (text && shape.length === 0) return readText(data, Number(text[1]), name);
  if (!Object.hasOwn(READERS, type)) throw new FileError(`its array ${name} is of the type ${type}, but must be of ${Object.keys(READERS).join(", ")}`);
  const [width, read] = READERS[type];
  const count = entriesOf(shape, name);
  if (count * width !== data.byteLength) throw new FileError(`its array ${name} has not the length that its shape needs`);
  const flat = Array.from({ length: count }, (_, n) => read(data, n * width));
  return nested(flat, shape);
}

/** Number of entries of a shape that can be nested: an array without entries may have any number of rows of nothing. */
function entriesOf(shape, name) {
  if (shape.length > MOST_AXES) throw new FileError(`its array ${name} has ${shape.length} axes, more than ${MOST_AXES}`);
  let rows = 1, lists = 1;
  for (const size of shape.slice(0, -1)) {
    rows *= size;
    lists += rows;
    if (!(lists <= MOST_ROWS)) throw new FileError(`its array ${name} has more than ${MOST_ROWS} rows`);
  }
  return rows * (shape.at(-1) ?? 1);
}

function readText(data, length, name) {
  if (4 * length !== data.byteLength) throw new FileError(`its text ${name} has not the length that it says`);
  const points = Array.from({ length }, (_, n) => data.getUint32(4 * n, true));
  if (points.some((point) => point > 0x10ffff)) throw new FileError(`its text ${name} is damaged`);
  return points.map((point) => (point ? String.fromCodePoint(point) : "")).join("");
}

function nested(flat, shape) {
  if (shape.length === 0) return flat[0];
  if (shape.length === 1) return flat;
  const step = flat.length / shape[0];
  return Array.from({ length: shape[0] }, (_, n) => nested(flat.slice(n * step, (n + 1) * step), shape.slice(1)));
}

/** The named arrays of a .npz file, as far as it has them. */
async function readNpz(buffer, names) {
  let entries;
  try {
    entries = zipEntries(buffer);
  } catch (error) {
    throw error instanceof RangeError ? new FileError("it is cut off") : error;
  }
  const found = {};
  for (const name of names) {
    const entry = entries.get(`${name}.npy`);
    if (!entry) continue;
    try {
      found[name] = readNpy(await unpacked(entry), name);
    } catch (error) {
      throw error instanceof FileError ? error : new FileError(`its array ${name} is damaged`);
    }
  }
  return found;
}

/** Largest and smallest entries of lists of any length: what `Math.max(...list)` is for some 100 000 entries at most. */

/** The largest of the values and `least`; NaN where one is. */
const maximum = (values, least = -Infinity) => values.reduce((found, value) => Math.max(found, value), least);

/** The smallest of the values and `most`; NaN where one is. */
const minimum = (values, most = Infinity) => values.reduce((found, value) => Math.min(found, value), most);

/** The largest of the sizes of the values and `least`. */
const magnitude = (values, least = -Infinity) => values.reduce((found, value) => Math.max(found, Math.abs(value)), least);

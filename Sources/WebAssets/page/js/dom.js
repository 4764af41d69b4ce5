// Builds elements. Text is only ever set as text: nothing on this page parses markup.

const SVG = 'http://www.w3.org/2000/svg';
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'selected', 'hidden', 'open', 'indeterminate', 'htmlFor']);

function fill(element, props, children) {
  if (props === null || typeof props !== 'object' || Array.isArray(props) || props instanceof Node) {
    children = [props, ...children];
    props = {};
  }
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false && !PROPERTIES.has(name)) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  append(element, children);
  return element;
}

/** Appends nodes and texts; lists are flattened, nothing (null, undefined, false) is left out. */
export function append(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Replaces what an element holds. */
export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

function parse(tag) {
  const [name, ...classes] = tag.split('.');
  return { name: name || 'div', classes };
}

/** `h('button.primary', {onClick}, 'Save')`: an element, its classes, attributes, listeners and children. */
export function h(tag, props, ...children) {
  const { name, classes } = parse(tag);
  const element = document.createElement(name);
  if (name === 'button') element.type = 'button';
  fill(element, props ?? {}, children);
  if (classes.length) element.classList.add(...classes);
  return element;
}

/** The same for SVG. */
export function s(tag, props, ...children) {
  const { name, classes } = parse(tag);
  const element = document.createElementNS(SVG, name);
  fill(element, props ?? {}, children);
  if (classes.length) element.classList.add(...classes);
  return element;
}

/** Sets positions and sizes through the object model, which a strict policy allows where attributes are not. */
export function place(element, styles) {
  for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value);
  return element;
}

const PATHS = {
  copy: 'M5 5V2.5h8.5V11H11M2.5 5H11v8.5H2.5z',
  check: 'M3 8.5l3.2 3.2L13 4.7',
  chevron: 'M6 3.5 10.5 8 6 12.5',
  down: 'M3.5 6 8 10.5 12.5 6',
  close: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  pencil: 'M3 13l.6-2.8L11 2.8 13.2 5 5.8 12.4zM9.5 4.3l2.2 2.2',
  trash: 'M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.5 9h6l.5-9',
  restore: 'M3 7.5A5 5 0 1 1 4.5 11.5M3 3.5v4h4',
  columns: 'M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 14 14',
  compare: 'M5.5 2.5v11M10.5 2.5v11M2.5 5.5h6M7.5 10.5h6',
  star: 'M8 1.8l1.9 4 4.3.5-3.2 3 .9 4.3L8 11.5l-3.9 2.1.9-4.3-3.2-3 4.3-.5z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3',
  moon: 'M13 9.8A5.6 5.6 0 0 1 6.2 3 5.6 5.6 0 1 0 13 9.8z',
  auto: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
  download: 'M8 2.5v7.5M4.8 7.2 8 10.3l3.2-3.1M3 13.5h10',
  note: 'M3 2.5h10v8L9.5 13.5H3zM5.5 6h5M5.5 8.5h3',
};

/** A small drawing that says nothing by itself: whoever uses it gives the words. */
export function icon(name) {
  return s('svg.icon', { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' }, s('path', { d: PATHS[name] }));
}

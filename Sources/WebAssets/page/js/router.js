// Addresses (`#/runs/ID/program?against=…`) and the views they lead to.

import { h, replace } from './dom.js';
import { problem } from './ui.js';

/** The address of a view: path parts are encoded, query members without a value left out. */
export function address(parts, query = {}) {
  const path = parts.map(encodeURIComponent).join('/');
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return `#/${path}${text ? `?${text}` : ''}`;
}

function parse(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const parts = path.split('/').filter(Boolean).map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return { parts, query: new URLSearchParams(query) };
}

/** What a view knows of its place: where it draws, when it is left, how it asks again and again. */
class Place {
  constructor(main, parts, query) {
    this.main = main;
    this.parts = parts;
    this.query = query;
    this.controller = new AbortController();
    this.signal = this.controller.signal;
  }

  /** Changes members of the query in the address, without drawing anew. */
  set(changes) {
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined || value === null || value === '') this.query.delete(key);
      else this.query.set(key, value);
    }
    history.replaceState(null, '', address(this.parts, Object.fromEntries(this.query)));
  }

  /** Calls `work` every so often while the view is shown and the page is looked at; a failure is tried again. */
  every(milliseconds, work) {
    const { signal } = this;
    let timer;
    const next = () => {
      if (signal.aborted) return;
      timer = setTimeout(async () => {
        if (!document.hidden) {
          try { await work(); } catch { /* shown by the connection's sign */ }
        }
        next();
      }, typeof milliseconds === 'function' ? milliseconds() : milliseconds);
    };
    signal.addEventListener('abort', () => clearTimeout(timer));
    next();
  }

  /** Hears an event of the document for as long as the view is shown. */
  listen(type, listener, target = document) {
    target.addEventListener(type, listener, { signal: this.signal });
  }
}

/** Titles the page and shows where it stands: `[[words, address], …]`, the last without an address. */
export function locate(title, crumbs = []) {
  document.title = title === 'Hone' ? title : `${title} · Hone`;
  const items = crumbs.map(([words, target], index) => h('li',
    target && index < crumbs.length - 1 ? h('a', { href: target }, h('bdi', words)) : h('span', { 'aria-current': 'page' }, h('bdi', words))));
  replace(document.getElementById('crumbs'), items.length ? h('ol', items) : null);
}

/** Follows the address. `routes` are `[first path part, view]`; a view is an async function of its place. */
export function follow(main, routes) {
  let current;
  const go = async (moved) => {
    current?.controller.abort();
    const { parts, query } = parse(location.hash);
    const place = new Place(main, parts, query);
    current = place;
    const view = routes.find(([name]) => name === (parts[0] ?? ''))?.[1];
    try {
      if (view) {
        await view(place);
      } else {
        locate('Not found', [['Not found']]);
        replace(main, h('div.empty', h('h1', 'Nothing at this address'),
          h('p', h('a', { href: '#/' }, 'All experiments'))));
      }
    } catch (error) {
      if (place.signal.aborted) return;
      locate('Error', [['Experiments', '#/'], ['Error']]);
      replace(main, h('div.view', problem(error, () => go(false), 'h1')));
    }
    if (moved && !place.signal.aborted) {
      const heading = main.querySelector('h1');
      if (heading && !main.contains(document.activeElement)) {
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
      }
    }
  };
  window.addEventListener('hashchange', (event) => {
    if (location.hash === '#main') return;
    if (new URL(event.oldURL).hash.split('?')[0] !== location.hash.split('?')[0]) window.scrollTo(0, 0);
    go(true);
  });
  go(false);
}

// A long list of rows of one height of which only those in sight exist.

import { h, place } from '../dom.js';

const SPARE = 12;

/**
 * Rows in a scrolling box. `draw(index)` gives a row's element, which is placed where it belongs.
 * `onEnd` is called when the last rows come into sight. A list that `fits` is as high as its rows, where its box lets it.
 */
export class VirtualRows {
  constructor({ rowHeight, draw, onEnd, fits = false, props = {} }) {
    this.rowHeight = rowHeight;
    this.draw = draw;
    this.onEnd = onEnd;
    this.fits = fits;
    this.count = 0;
    this.shown = new Map();
    this.body = h('div.virtual-body', { role: 'presentation' });
    this.element = h('div.virtual', { tabindex: '0', ...props }, this.body);
    this.element.addEventListener('scroll', () => this.later(), { passive: true });
    this.observer = new ResizeObserver(() => this.later());
    this.observer.observe(this.element);
  }

  later() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = undefined;
      this.update();
    });
  }

  /** Says how many rows there are now; `anew` draws those in sight again. */
  setCount(count, anew = true) {
    this.count = count;
    place(this.body, { height: `${count * this.rowHeight}px` });
    if (this.fits) place(this.element, { height: `${Math.min(count, 2000) * this.rowHeight + 4}px` });
    if (anew) this.clear();
    this.update();
  }

  clear() {
    for (const element of this.shown.values()) element.remove();
    this.shown.clear();
  }

  redraw() {
    this.clear();
    this.update();
  }

  update() {
    const top = this.element.scrollTop;
    const height = this.element.clientHeight || 600;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - SPARE);
    const last = Math.min(this.count, Math.ceil((top + height) / this.rowHeight) + SPARE);
    for (const [index, element] of this.shown) {
      if (index < first || index >= last) {
        element.remove();
        this.shown.delete(index);
      }
    }
    for (let index = first; index < last; index += 1) {
      if (this.shown.has(index)) continue;
      const element = this.draw(index);
      element.classList.add('virtual-row');
      place(element, { top: `${index * this.rowHeight}px`, height: `${this.rowHeight}px` });
      this.shown.set(index, element);
      this.body.append(element);
    }
    if (last >= this.count) this.onEnd?.();
  }

  scrollTo(index) {
    const top = index * this.rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight) this.element.scrollTop = top + this.rowHeight - clientHeight;
    this.update();
  }
}

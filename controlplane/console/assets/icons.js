// Line icons of the navigation.
import { s } from './dom.js';

const icon = (...paths) => () => s('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, paths.map((d) => s('path', { d })));

export const overview = icon('M4 19V9m5 10V5m5 14v-7m5 7V8');
export const routing = icon('M4 12h5c4 0 3-6 8-6h3m-3-3 3 3-3 3M9 12c4 0 3 6 8 6h3m-3-3 3 3-3 3');
export const requests = icon('M5 6h14M5 12h14M5 18h9');
export const keys = icon('M14 10a4 4 0 1 1-8 0 4 4 0 0 1 8 0Zm-1 3 7 7m-3-3-2 2');
export const releases = icon('M12 3v12m-4-4 4 4 4-4M4 19h16');
export const play = icon('M7 5v14l11-7-11-7Z');
export const nodes = icon('M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01');
export const audit = icon('M6 3h9l4 4v14H6zM9 12h7M9 16h7');

// The pages, in the order of the navigation; README.md says how to add one.
import * as icons from './icons.js';
import * as overview from './pages/overview.js';

export const pages = [
  { path: 'overview', title: 'Overview', icon: icons.overview, render: overview.render },
];

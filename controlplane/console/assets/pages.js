// The pages, in the order of the navigation; README.md says how to add one.
import * as icons from './icons.js';
import * as overview from './pages/overview.js';
import * as routing from './pages/routing.js';
import * as requests from './pages/requests.js';
import * as keys from './pages/keys.js';
import * as releases from './pages/releases.js';
import * as playground from './pages/playground.js';

export const pages = [
  { path: 'overview', title: 'Overview', icon: icons.overview, render: overview.render },
  { path: 'routing', title: 'Routing', icon: icons.routing, render: routing.render },
  { path: 'requests', title: 'Requests', icon: icons.requests, render: requests.render },
  { path: 'keys', title: 'Keys and teams', short: 'Keys', icon: icons.keys, render: keys.render },
  { path: 'releases', title: 'Releases', icon: icons.releases, render: releases.render },
  { path: 'playground', title: 'Playground', short: 'Try out', icon: icons.play, render: playground.render },
];

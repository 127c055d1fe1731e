package server

import _ "time/tzdata" // reports in any time zone, also where the system has no zones

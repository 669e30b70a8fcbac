/*---
title: NAME 小时值
kind: incremental
time: hour
grain: [station, hour]
tests: [level between 0 and 20]
titles: {station: 监测仪, hour: 小时, level: 液位}
---*/
select station, hour, level
from hour_means_of('NAME_meter')

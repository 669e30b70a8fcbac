/*---
title: 入河排污口按受纳水体汇总
grain: [river]
tests: [outfalls > 0, surveyed <= outfalls]
titles: {river: 受纳水体, outfalls: 排污口数, permitted: 有许可证的排污口数, surveyed: 已排查的排污口数, daily: 日排放量}
---*/
select river, count(*) as outfalls, count(permit_no) as permitted, count(surveyed) as surveyed, sum(daily) as daily
from outfall
group by river

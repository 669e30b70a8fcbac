/*---
title: 空气质量日值
kind: incremental
time: day
grain: [station, day]
tests: [aqi between 0 and 500, hours between 0 and 24]
titles: {station: 监测站, day: 日期, hours: 有效小时数, pm2_5: 细颗粒物, pm10: 可吸入颗粒物, so2: 二氧化硫, no2: 二氧化氮, co: 一氧化碳, o3_8h: 臭氧日最大 8 小时平均, o3_max: 臭氧日最大 1 小时平均, aqi: 空气质量指数, level: 级别, primary_item: 首要污染物}
---*/
-- A day mean needs 20 valid hours (GB 3095), an 8 h mean of ozone 6 of 8; the greatest 8 h mean counts windows that lie in the day
-- and needs 14 of the 17, or stands with fewer where it is above the limit of class 2 (HJ 663-2013, as public implementations quote it).
with hours as (
  select station, hour, day_of(hour) as day, pm2_5, pm10, so2, no2, co, o3
  from air_hour
),
moving as (
  select *,
         count(o3) over (partition by station, day order by hour range between interval 7 hour preceding and current row) as o3_hours,
         avg(o3) over (partition by station, day order by hour range between interval 7 hour preceding and current row) as o3_mean
  from hours
),
means as (
  select station, day,
         greatest(count(pm2_5), count(pm10), count(so2), count(no2), count(co), count(o3)) as hours,
         case when count(pm2_5) >= 20 then avg(pm2_5) end as pm2_5,
         case when count(pm10) >= 20 then avg(pm10) end as pm10,
         case when count(so2) >= 20 then avg(so2) end as so2,
         case when count(no2) >= 20 then avg(no2) end as no2,
         case when count(co) >= 20 then avg(co) end as co,
         case when count(*) filter (where o3_hours >= 6 and hour_of_day(hour) >= 7) >= 14
                or max(o3_mean) filter (where o3_hours >= 6 and hour_of_day(hour) >= 7) > 160
              then max(o3_mean) filter (where o3_hours >= 6 and hour_of_day(hour) >= 7) end as o3_8h,
         case when count(o3) >= 20 then max(o3) end as o3_max
  from moving
  group by station, day
),
indexed as (
  select *,
         daily_air_quality_index(day, pm2_5, pm10, so2, no2, co, o3_8h, o3_max) as aqi,
         daily_primary_pollutant(day, pm2_5, pm10, so2, no2, co, o3_8h, o3_max) as primary_item
  from means
)
select station, day, hours, pm2_5, pm10, so2, no2, co, o3_8h, o3_max, aqi, air_quality_level(aqi) as level, primary_item
from indexed

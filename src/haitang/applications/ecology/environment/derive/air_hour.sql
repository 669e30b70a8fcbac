/*---
title: 空气质量小时值
kind: incremental
time: hour
looks_back: 23h
grain: [station, hour]
tests: [aqi between 0 and 500]
titles: {station: 监测站, hour: 时间, pm2_5: 细颗粒物, pm10: 可吸入颗粒物, so2: 二氧化硫, no2: 二氧化氮, co: 一氧化碳, o3: 臭氧, aqi: 空气质量指数, level: 级别, primary_item: 首要污染物}
---*/
-- Moving means count in HJ 633-2012 only, that is before 2026-03-01: of 24 hours from 20 valid ones on, of 8 from 6 on (GB 3095).
with moving as (
  select station, hour, pm2_5, pm10, so2, no2, co, o3,
         case when count(pm2_5) over last_24 >= 20 then avg(pm2_5) over last_24 end as pm2_5_24h,
         case when count(pm10) over last_24 >= 20 then avg(pm10) over last_24 end as pm10_24h,
         case when count(so2) over last_24 >= 20 then avg(so2) over last_24 end as so2_24h,
         case when count(o3) over last_8 >= 6 then avg(o3) over last_8 end as o3_8h
  from hour_means_of('air_station')
  window last_24 as (partition by station order by hour range between interval 23 hour preceding and current row),
         last_8 as (partition by station order by hour range between interval 7 hour preceding and current row)
),
indexed as (
  select station, hour, pm2_5, pm10, so2, no2, co, o3,
         air_quality_index(hour, pm2_5, pm10, so2, no2, co, o3, pm2_5_24h, pm10_24h, so2_24h, o3_8h) as aqi,
         primary_pollutant(hour, pm2_5, pm10, so2, no2, co, o3, pm2_5_24h, pm10_24h, so2_24h, o3_8h) as primary_item
  from moving
)
select station, hour, pm2_5, pm10, so2, no2, co, o3, aqi, air_quality_level(aqi) as level, primary_item
from indexed

/*---
title: 空气质量小时值
kind: incremental
time: hour
grain: [station, hour]
tests: [aqi between 0 and 500]
titles: {station: 监测站, hour: 时间, pm2_5: 细颗粒物, pm10: 可吸入颗粒物, so2: 二氧化硫, no2: 二氧化氮, co: 一氧化碳, o3: 臭氧, aqi: 空气质量指数, level: 级别, primary_item: 首要污染物}
---*/
with indexed as (
  select station, hour, pm2_5, pm10, so2, no2, co, o3,
         air_quality_index(hour, pm2_5, pm10, so2, no2, co, o3) as aqi,
         primary_pollutant(hour, pm2_5, pm10, so2, no2, co, o3) as primary_item
  from hour_means_of('air_station')
)
select station, hour, pm2_5, pm10, so2, no2, co, o3, aqi, air_quality_level(aqi) as level, primary_item
from indexed
